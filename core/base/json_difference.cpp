#include "base/json_difference.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <boost/json.hpp>

#include "base/json_pointer.hpp"
#include "base/utf8.hpp"

namespace weir {
namespace {

namespace json = boost::json;

std::string shortened(const json::value& value) {
  constexpr std::size_t bytes_max = 60;
  std::string text = json::serialize(value);
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && continues_character(text[end])) --end;
  return text.substr(0, end) + "…";
}

// The recursion is as deep as the values: at most Json::depth_max.
std::optional<JsonDifference> difference(const json::value& before, const json::value& after,
                                         const std::string& pointer) {
  const auto here = [&]() -> std::optional<JsonDifference> {
    return JsonDifference{pointer, shortened(before), shortened(after)};
  };
  if (before.is_number() && after.is_number())
    return before == after || (before.is_double() != after.is_double() &&
                               before.to_number<double>() == after.to_number<double>())
               ? std::nullopt
               : here();
  if (before.kind() != after.kind()) return here();
  if (const json::object* const old = before.if_object()) {
    const json::object& now = after.get_object();
    for (const auto& [key, value] : *old)
      if (!now.contains(key))
        return JsonDifference{pointer + pointer_token(key), shortened(value), ""};
    for (const auto& [key, value] : now)
      if (!old->contains(key))
        return JsonDifference{pointer + pointer_token(key), "", shortened(value)};
    for (const auto& [key, value] : *old)
      if (auto found = difference(value, now.at(key), pointer + pointer_token(key))) return found;
    return std::nullopt;
  }
  if (const json::array* const old = before.if_array()) {
    const json::array& now = after.get_array();
    for (std::size_t i = 0; i < old->size() && i < now.size(); ++i)
      if (auto found = difference((*old)[i], now[i], pointer + "/" + std::to_string(i)))
        return found;
    const std::string end = pointer + "/" + std::to_string(std::min(old->size(), now.size()));
    if (old->size() > now.size()) return JsonDifference{end, shortened((*old)[now.size()]), ""};
    if (now.size() > old->size()) return JsonDifference{end, "", shortened(now[old->size()])};
    return std::nullopt;
  }
  return before == after ? std::nullopt : here();
}

json::value parsed(const Json& value) {
  json::parse_options options;
  options.max_depth = Json::depth_max;
  return json::parse(json::string_view(value.text().data(), value.text().size()), {}, options);
}

}  // namespace

std::optional<JsonDifference> first_difference(const Json& before, const Json& after) {
  if (before == after) return std::nullopt;
  return difference(parsed(before), parsed(after), "");
}

}  // namespace weir

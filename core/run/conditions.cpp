#include "run/conditions.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/utf8.hpp"

namespace weir {
namespace {

bool is_container(const Json& value) {
  return value.type() == JsonType::array || value.type() == JsonType::object;
}

// A number by its value: 0.<digits> × 10^exponent, without zeros at either end; zero has no digits.
struct Decimal {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;
  friend bool operator==(const Decimal&, const Decimal&) = default;
};

// In Json only a zero can have an exponent that does not fit.
Decimal decimal(std::string_view text) {
  Decimal number;
  if (text.front() == '-') {
    number.negative = true;
    text.remove_prefix(1);
  }
  const std::size_t e = std::min(text.find_first_of("eE"), text.size());
  if (e < text.size()) {
    const std::size_t digits = e + (text[e + 1] == '+' ? 2 : 1);
    std::from_chars(text.data() + digits, text.data() + text.size(), number.exponent);
  }
  const std::size_t point = std::min(text.find('.'), e);
  number.exponent += static_cast<std::int64_t>(point);
  number.digits = text.substr(0, point);
  if (point < e) number.digits += text.substr(point + 1, e - point - 1);
  const std::size_t zeros = number.digits.find_first_not_of('0');
  if (zeros == std::string::npos) return {};
  number.digits.erase(0, zeros);
  number.exponent -= static_cast<std::int64_t>(zeros);
  number.digits.erase(number.digits.find_last_not_of('0') + 1);
  return number;
}

// Compares two values that are not containers.
bool equal(const Json& a, const Json& b) {
  if (a.type() != b.type()) return false;
  if (a == b) return true;
  if (a.type() == JsonType::number) return decimal(a.text()) == decimal(b.text());
  if (a.type() == JsonType::string) return a.decoded() == b.decoded();
  return false;
}

bool holds(const Json& value, const Json& pattern);

// Of a duplicate key the last value counts, as in jsonb.
bool object_holds(const Json& value, const Json& pattern) {
  const auto members = value.members();
  const auto wanted = pattern.members();
  for (auto each = wanted.rbegin(); each != wanted.rend(); ++each) {
    const auto is_key = [&](const auto& member) { return member.first == each->first; };
    if (std::any_of(wanted.rbegin(), each, is_key)) continue;
    const auto found = std::find_if(members.rbegin(), members.rend(), is_key);
    if (found == members.rend() || !holds(found->second, each->second)) return false;
  }
  return true;
}

bool array_holds(const std::vector<Json>& elements, const Json& wanted) {
  return std::ranges::any_of(elements, [&](const Json& each) { return holds(each, wanted); });
}

// The recursion is as deep as the pattern: at most Json::depth_max.
bool holds(const Json& value, const Json& pattern) {
  if (value.type() != pattern.type()) return false;
  if (pattern.type() == JsonType::object) return object_holds(value, pattern);
  if (pattern.type() != JsonType::array) return equal(value, pattern);
  const std::vector<Json> elements = value.elements();
  return std::ranges::all_of(pattern.elements(),
                             [&](const Json& wanted) { return array_holds(elements, wanted); });
}

std::string shortened(std::string_view text) {
  constexpr std::size_t bytes_max = 200;
  if (text.size() <= bytes_max) return std::string(text);
  std::size_t end = bytes_max;
  while (end > 0 && continues_character(text[end])) --end;
  return std::string(text.substr(0, end)) + "…";
}

}  // namespace

bool contains(const Json& value, const Json& pattern) {
  if (value.type() == JsonType::array && !is_container(pattern))
    return array_holds(value.elements(), pattern);
  return holds(value, pattern);
}

std::optional<std::string> unmet(const StepConditions& conditions, const Json& given) {
  if (conditions.only_if && !contains(given, *conditions.only_if))
    return fmt::format("does not contain {}", shortened(conditions.only_if->text()));
  if (conditions.unless && contains(given, *conditions.unless))
    return fmt::format("contains {}", shortened(conditions.unless->text()));
  return std::nullopt;
}

}  // namespace weir

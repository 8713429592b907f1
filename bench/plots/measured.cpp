#include "bench/plots/measured.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "bench/required.hpp"

namespace weir::bench {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view member) {
  const json::value* const found = object.if_contains(member);
  return found == nullptr || !found->is_string() ? "" : json::value_to<std::string>(*found);
}

}  // namespace

Results Results::read(const std::vector<std::filesystem::path>& files) {
  Results results;
  for (const std::filesystem::path& file : files) {
    std::ifstream stream(file);
    if (!stream) fail(fmt::format("{} cannot be read", file.string()));
    results.add(std::string{std::istreambuf_iterator<char>(stream), {}});
  }
  return results;
}

void Results::add(std::string_view json_text) {
  constexpr std::string_view refused = "this is nothing that --json has written";
  boost::system::error_code broken;
  const json::value all = json::parse(json_text, broken);
  if (broken || !all.is_array()) fail(refused);
  for (const json::value& each : all.get_array()) {
    if (!each.is_object()) fail(refused);
    const json::object& row = each.get_object();
    if (const json::value* const lines = row.if_contains("machine")) {
      machine = json::value_to<std::vector<std::string>>(*lines);
      continue;
    }
    const bool growth = row.contains("table");
    Measured next{.group = text_of(row, growth ? "table" : "work"),
                  .name = text_of(row, growth ? "case" : "side"),
                  .unit = text_of(row, "unit"),
                  .figures = {}};
    const json::value* const median = row.if_contains("median");
    if (next.group.empty() || median == nullptr || !median->is_object()) fail(refused);
    for (const auto& [name, value] : median->get_object())
      next.figures[std::string(name)] = value.to_number<double>();
    if (!next.figures.empty()) measured.push_back(std::move(next));
  }
}

std::vector<std::string> Results::groups() const {
  std::vector<std::string> names;
  for (const Measured& each : measured)
    if (std::ranges::find(names, each.group) == names.end()) names.push_back(each.group);
  return names;
}

std::vector<Measured> Results::of(std::string_view group) const {
  std::vector<Measured> found;
  std::ranges::copy_if(measured, std::back_inserter(found),
                       [&](const Measured& each) { return each.group == group; });
  return found;
}

std::string number_text(double value) {
  const double size = std::abs(value);
  if (size < 0.0005) return "0";
  const int digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  std::string text = fmt::format("{:.{}f}", value, digits);
  if (size < 9999.5) return text;
  const std::size_t first = text.front() == '-' ? 4 : 3;  // no comma before the first digit
  for (std::size_t at = text.size(); at > first; text.insert(at, ",")) at -= 3;
  return text;
}

}  // namespace weir::bench

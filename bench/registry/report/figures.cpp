#include "figures.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "bench/required.hpp"

namespace weir::bench {
namespace {

namespace json = boost::json;

std::string name_of(const json::object& benchmark) {
  std::string name = json::value_to<std::string>(benchmark.at("run_name"));
  for (const std::string_view added : {"/manual_time", "/iterations:1", "/threads:1", "/threads:2"})
    if (const auto at = name.find(added); at != std::string::npos) name.erase(at, added.size());
  if (name.starts_with("lookup/"))
    name += fmt::format("/{}", json::value_to<int>(benchmark.at("threads")));
  return name;
}

}  // namespace

Figures Figures::read(const std::filesystem::path& folder) {
  Figures figures;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") figures.add_benchmarks(entry.path());
    if (entry.path().extension() == ".txt") figures.add_lines(entry.path());
  }
  return figures;
}

void Figures::add_benchmarks(const std::filesystem::path& file) {
  std::ifstream stream(file);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  boost::system::error_code broken;
  const json::value all = json::parse(text, broken);
  if (broken || !all.is_object()) fail(fmt::format("{} holds no benchmarks", file.string()));
  for (const json::value& each : all.at("benchmarks").as_array()) {
    const json::object& benchmark = each.as_object();
    if (benchmark.at("run_type") != "iteration") continue;
    const std::string name = name_of(benchmark);
    if (benchmark.contains("error_occurred")) fail(fmt::format("{} failed", name));
    const json::value* figure = benchmark.if_contains("figure");
    values_[name].push_back(
        (figure != nullptr ? *figure : benchmark.at("cpu_time")).to_number<double>());
    for (const std::string_view other : {"p50_ns", "p99_ns"})
      if (const json::value* value = benchmark.if_contains(other))
        values_[fmt::format("{}/{}", name, other)].push_back(value->to_number<double>());
  }
}

void Figures::add_lines(const std::filesystem::path& file) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::string name;
    std::string value;
    std::getline(words >> name >> std::ws, value);
    if (name == "version")
      elixir_ = value;
    else
      values_[name].push_back(std::strtod(value.c_str(), nullptr));
  }
}

std::optional<double> Figures::median(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  std::vector<double> sorted = found->second;
  std::ranges::sort(sorted);
  const std::size_t half = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

std::size_t Figures::repetitions(std::string_view prefix) const {
  std::size_t least = std::numeric_limits<std::size_t>::max();
  for (const auto& [name, values] : values_)
    if (name.starts_with(prefix)) least = std::min(least, values.size());
  return least == std::numeric_limits<std::size_t>::max() ? 0 : least;
}

}  // namespace weir::bench

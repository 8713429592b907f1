#include "bench/growth/options.hpp"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "bench/required.hpp"

namespace weir::bench {
namespace {

std::size_t number_of(std::string_view option, const std::string& text) {
  const std::size_t number = std::strtoull(text.c_str(), nullptr, 10);
  if (number == 0) fail(fmt::format("{} needs a number from 1 on", option));
  return number;
}

std::vector<std::size_t> numbers_of(std::string_view option, const std::string& text) {
  std::vector<std::size_t> numbers;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');)
    numbers.push_back(number_of(option, part));
  if (numbers.empty()) fail(fmt::format("{} needs numbers", option));
  return numbers;
}

}  // namespace

GrowthOptions GrowthOptions::of(int argc, char** argv) {
  GrowthOptions options;
  using Take = std::function<void(std::string_view option, const std::string& value)>;
  const auto number = [](std::size_t& into) -> Take {
    return [&into](auto option, const auto& value) { into = number_of(option, value); };
  };
  const auto numbers = [](std::vector<std::size_t>& into) -> Take {
    return [&into](auto option, const auto& value) { into = numbers_of(option, value); };
  };
  const auto text = [](auto& into) -> Take {
    return [&into](auto, const auto& value) { into = value; };
  };
  const std::map<std::string_view, Take> known{
      {"--rounds", number(options.rounds)},  {"--runs", number(options.runs)},
      {"--large", number(options.large)},    {"--history", numbers(options.history)},
      {"--parked", numbers(options.parked)}, {"--versions", numbers(options.versions)},
      {"--only", text(options.only)},        {"--json", text(options.json)},
      {"--folder", text(options.folder)}};
  for (int i = 1; i < argc; i += 2) {
    const auto found = known.find(argv[i]);
    if (found == known.end()) fail(fmt::format("there is no option \"{}\"", argv[i]));
    if (i + 1 == argc) fail(fmt::format("{} needs a value", argv[i]));
    found->second(found->first, argv[i + 1]);
  }
  return options;
}

std::vector<std::size_t> beginning_with(std::size_t first, std::vector<std::size_t> sizes) {
  std::erase(sizes, first);
  std::ranges::sort(sizes);
  sizes.insert(sizes.begin(), first);
  return sizes;
}

}  // namespace weir::bench

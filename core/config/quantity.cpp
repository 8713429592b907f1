#include "config/quantity.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <span>

#include <fmt/core.h>

namespace weir {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
constexpr std::array<Unit, 5> durations = {
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 4> sizes = {
    {{"GiB", 1024 * 1024 * 1024}, {"MiB", 1024 * 1024}, {"KiB", 1024}, {"B", 1}}};

std::optional<std::int64_t> parse(std::string_view text, std::span<const Unit> units) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& unit : units)
    if (unit.name == name)
      return fault != std::errc{} || number > most / unit.factor ? most : number * unit.factor;
  return std::nullopt;
}

std::string write(std::int64_t number, std::span<const Unit> units) {
  if (number == 0) return fmt::format("0{}", units.back().name == "ms" ? "s" : "B");
  for (const Unit& unit : units)
    if (number % unit.factor == 0) return fmt::format("{}{}", number / unit.factor, unit.name);
  return {};
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto number = parse(text, durations);
  return number ? std::optional(std::chrono::milliseconds(*number)) : std::nullopt;
}

std::string written(std::chrono::milliseconds duration) {
  return write(duration.count(), durations);
}

std::optional<std::int64_t> parse_size(std::string_view text) { return parse(text, sizes); }

std::string written_size(std::int64_t bytes) { return write(bytes, sizes); }

}  // namespace weir

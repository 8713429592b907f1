#include "cli/terminal/times.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>

#include "base/iso8601.hpp"

namespace weir::cli {

std::string shown_duration(Duration duration) {
  const std::int64_t us = std::max<std::int64_t>(0, duration.count());
  if (us < 1'000) return fmt::format("{}us", us);
  if (us < 999'500) return fmt::format("{}ms", (us + 500) / 1'000);
  if (us < 59'950'000) return fmt::format("{:.1f}s", static_cast<double>(us) / 1e6);
  const std::int64_t s = (us + 500'000) / 1'000'000;
  if (s < 3'600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  if (s < 86'400) return fmt::format("{}h{:02}m", s / 3'600, s / 60 % 60);
  return fmt::format("{}d{:02}h", s / 86'400, s / 3'600 % 24);
}

std::string shown_time(Time time) {
  std::string text = iso8601(time).substr(0, std::string_view("2026-11-21T01:56:26").size());
  text[text.find('T')] = ' ';
  return text;
}

std::string shown_age(Duration age) {
  const std::int64_t s = age.count() / 1'000'000;
  if (s < 1) return "now";
  if (s < 60) return fmt::format("{}s ago", s);
  if (s < 3'600) return fmt::format("{}m ago", s / 60);
  if (s < 86'400) return fmt::format("{}h ago", s / 3'600);
  return fmt::format("{}d ago", s / 86'400);
}

}  // namespace weir::cli

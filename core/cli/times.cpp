#include "cli/times.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <fmt/format.h>

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
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const std::chrono::sys_days day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
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

#include "store/postgres/array_literal.hpp"

#include <chrono>

#include <fmt/core.h>

namespace weir::postgres {

void ArrayLiteral::add_text(std::string_view text) {
  std::string& out = next();
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

void ArrayLiteral::add(Time time) { add_text(timestamp(time)); }

std::string timestamp(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}+00", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

}  // namespace weir::postgres

#include "base/iso8601.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <fmt/core.h>

namespace weir {
namespace {

constexpr int year_max = 9999;

/// Parses a text from its beginning.
class Scan {
 public:
  explicit Scan(std::string_view text) : rest_(text) {}

  bool done() const noexcept { return rest_.empty(); }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// A number of exactly `digits` digits, at most `most`.
  std::optional<int> number(std::size_t digits, int most) {
    int value = 0;
    if (rest_.size() < digits) return std::nullopt;
    const std::string_view text = rest_.substr(0, digits);
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ptr != text.data() + text.size() || text.front() == '-' || value > most)
      return std::nullopt;
    rest_.remove_prefix(digits);
    return value;
  }
  /// The digits after the decimal point of the seconds; those beyond microseconds are dropped.
  std::optional<Duration> fraction() {
    constexpr int digits_max = 6;
    int value = 0;
    int digits = 0;
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; ++digits) {
      if (digits < digits_max) value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    if (digits == 0) return std::nullopt;
    for (; digits < digits_max; ++digits) value *= 10;
    return Duration(value);
  }

 private:
  std::string_view rest_;
};

// "Z", "+01", "+01:00", "-0130", or nothing: the offset from UTC, positive when ahead of it.
std::optional<std::chrono::minutes> offset(Scan& scan) {
  if (scan.done() || scan.take('Z') || scan.take('z')) return std::chrono::minutes(0);
  const bool ahead = scan.take('+');
  if (!ahead && !scan.take('-')) return std::nullopt;
  const auto hours = scan.number(2, 14);
  if (!hours) return std::nullopt;
  std::optional<int> minutes = 0;
  if (scan.take(':') || !scan.done()) minutes = scan.number(2, 59);
  if (!minutes) return std::nullopt;
  const std::chrono::minutes far(*hours * 60 + *minutes);
  return ahead ? far : -far;
}

std::optional<Duration> time_of_day(Scan& scan) {
  const auto hour = scan.number(2, 23);
  if (!hour || !scan.take(':')) return std::nullopt;
  const auto minute = scan.number(2, 59);
  if (!minute) return std::nullopt;
  Duration time = std::chrono::hours(*hour) + std::chrono::minutes(*minute);
  if (!scan.take(':')) return time;
  const auto second = scan.number(2, 59);
  if (!second) return std::nullopt;
  time += std::chrono::seconds(*second);
  if (!scan.take('.')) return time;
  const auto fraction = scan.fraction();
  if (!fraction) return std::nullopt;
  return time + *fraction;
}

}  // namespace

std::optional<Time> parse_iso8601(std::string_view text) {
  Scan scan(text);
  const auto year = scan.number(4, year_max);
  if (!year || !scan.take('-')) return std::nullopt;
  const auto month = scan.number(2, 12);
  if (!month || !scan.take('-')) return std::nullopt;
  const auto day = scan.number(2, 31);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  const Time midnight = std::chrono::sys_days(date);
  if (scan.done()) return midnight;
  if (!scan.take('T') && !scan.take('t') && !scan.take(' ')) return std::nullopt;
  const auto time = time_of_day(scan);
  if (!time) return std::nullopt;
  const auto ahead = offset(scan);
  if (!ahead || !scan.done()) return std::nullopt;
  return midnight + *time - *ahead;
}

std::string iso8601(Time time) {
  using std::chrono::sys_days, std::chrono::year;
  constexpr Time first = sys_days(year(0) / 1 / 1);
  constexpr Time last = Time(sys_days(year(year_max + 1) / 1 / 1)) - Duration(1);
  time = std::clamp(time, first, last);  // a chrono::year beyond 32767 would be another year
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

}  // namespace weir

#include "retry_time.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

namespace fetch_pages {
namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// All of the text; -1: it is no such number.
int number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && text[0] != '-' ? value : -1;
}

}  // namespace

std::optional<sys_seconds> http_date(std::string_view text) {
  constexpr std::string_view form = "Ddd, 00 Mmm 0000 00:00:00 GMT";
  if (text.size() != form.size() || !text.ends_with(" GMT")) return std::nullopt;
  const auto month = std::ranges::find(months, text.substr(8, 3));
  const year_month_day date(year(number(text.substr(12, 4))),
                            std::chrono::month(static_cast<unsigned>(month - months.begin()) + 1),
                            day(static_cast<unsigned>(number(text.substr(5, 2)))));
  const int hour = number(text.substr(17, 2)), minute = number(text.substr(20, 2)),
            second = number(text.substr(23, 2));
  if (!date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 60 || date.year() < year(1970))
    return std::nullopt;
  return sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
}

std::optional<seconds> retry_time(std::string_view text, sys_seconds now) {
  const bool is_number = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  seconds wait = hours(1);
  if (is_number) {
    if (const int given = number(text); given >= 0) wait = seconds(given);  // else: too large
  } else if (const auto date = http_date(text)) {
    wait = *date - now;
  } else {
    return std::nullopt;
  }
  return std::clamp(wait, seconds(1), seconds(hours(1)));
}

}  // namespace fetch_pages

#pragma once
#include <chrono>
#include <optional>
#include <string_view>

namespace fetch_pages {

/// A date as HTTP writes it: "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<std::chrono::sys_seconds> http_date(std::string_view text);

/// How long a Retry-After asks to wait, in seconds or until a date, at least a second and at most an
/// hour. `now` is the date of the answer. nullopt: it is neither.
std::optional<std::chrono::seconds> retry_time(std::string_view text, std::chrono::sys_seconds now);

}  // namespace fetch_pages

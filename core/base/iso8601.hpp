#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace weir {

/// "2026-11-21T01:56:26.123456Z": to the microsecond, in UTC; PostgreSQL parses it without loss. A
/// time before the year 0 or after 9999 is written as the first or the last of these years.
std::string iso8601(Time time);

/// A time as people write it: "2026-11-21", "2026-11-21 01:56", "2026-11-21T01:56:26.5+01:00"; in
/// UTC when it names no offset. nullopt for anything else, and for dates that do not exist.
std::optional<Time> parse_iso8601(std::string_view text);

}  // namespace weir

#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace weir {

/// "2026-11-21T01:56:26.123456Z": to the microsecond, in UTC; PostgreSQL reads it back as it was.
std::string iso8601(Time time);

/// A time as people write it: "2026-11-21", "2026-11-21 01:56", "2026-11-21T01:56:26.5+01:00"; in
/// UTC where it names no offset. nullopt for anything else, and for days no calendar has.
std::optional<Time> parse_iso8601(std::string_view text);

}  // namespace weir

#pragma once
#include <string>

#include "base/time.hpp"

namespace weir {

/// "2026-11-21T01:56:26.123456Z": to the microsecond, in UTC; PostgreSQL reads it back as it was.
std::string iso8601(Time time);

}  // namespace weir

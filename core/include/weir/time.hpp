#pragma once
#include <chrono>
#include <cstdint>

namespace weir {

using Duration = std::chrono::microseconds;

/// A point in the database's time; facts are dated by no other clock. Microseconds since 1970 UTC,
/// as PostgreSQL keeps them.
using Time = std::chrono::sys_time<Duration>;

}  // namespace weir

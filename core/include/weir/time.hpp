#pragma once
#include <chrono>
#include <cstdint>

namespace weir {

using Duration = std::chrono::microseconds;

/// A point in the database's time, which is the only time facts are dated by. Microseconds since
/// 1970 UTC, as PostgreSQL keeps them.
using Time = std::chrono::sys_time<Duration>;

}  // namespace weir

#pragma once
#include <chrono>

#include "base/time.hpp"

namespace weir::testing {

/// When the runs of these tests begin.
inline constexpr Time start = Time(std::chrono::hours(1));

}  // namespace weir::testing

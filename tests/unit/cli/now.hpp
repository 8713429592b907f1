#pragma once
#include <chrono>

#include "base/time.hpp"

namespace weir::testing {

/// When the tests look at what they show.
inline const Time now{std::chrono::hours(500'000)};
inline constexpr Time noon =
    std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + std::chrono::hours(12);

}  // namespace weir::testing

#pragma once
#include <chrono>

#include "base/time.hpp"

namespace weir::testing {

/// When the tests look at what they show.
inline const Time now{std::chrono::hours(500'000)};

}  // namespace weir::testing

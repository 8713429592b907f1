#pragma once
#include <chrono>

namespace weir {

/// How long the loop waits before it asks the database again for what somebody's open transaction
/// decides: the first time, and the longest, as the pause doubles.
inline constexpr std::chrono::milliseconds ask_pause_first{5};
inline constexpr std::chrono::milliseconds ask_pause_longest{500};

}  // namespace weir

#pragma once
#include <chrono>

namespace weir {

/// How long both sides of sharing pause after a request that failed.
inline constexpr std::chrono::milliseconds pause_after_failure{100};

}  // namespace weir

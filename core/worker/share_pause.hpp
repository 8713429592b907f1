#pragma once
#include <chrono>

namespace weir {

/// How long neither side of sharing asks again when the database did not answer.
inline constexpr std::chrono::milliseconds quiet_after_failure{100};

}  // namespace weir

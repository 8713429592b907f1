#pragma once
#include <chrono>

#include <weir/time.hpp>

namespace weir {

using Steady = std::chrono::steady_clock::time_point;

}  // namespace weir

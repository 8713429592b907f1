#pragma once
#include <algorithm>
#include <chrono>
#include <cstddef>

#include "base/time.hpp"

namespace weir {

/// Determines how many attempts a worker has in flight, so that its slots have work during an
/// exchange with the database. Used only by the worker's loop.
class Pace {
 public:
  explicit Pace(std::size_t slots) : slots_(slots) {}

  void exchanged(Steady::duration took) { average(exchange_seconds_, took); }
  void ran(Steady::duration took) { average(task_seconds_, took); }

  double task_seconds() const noexcept { return task_seconds_; }

  /// The number of slots, plus as many attempts as they can finish during an exchange.
  std::size_t window() const {
    const double per_slot = exchange_seconds_ / std::max(task_seconds_, 1e-6);
    const double wanted = static_cast<double>(slots_) * (1.0 + per_slot);
    return std::max(slots_, std::min(window_max, static_cast<std::size_t>(wanted)));
  }

  /// How many tasks to hold. Idle workers cannot claim runs that wait in another one, so it is no
  /// more than the slots can start, unless tasks are so short that the next exchange would come too
  /// late.
  std::size_t hold() const { return window() > slots_ ? 2 * window() : slots_; }

 private:
  static constexpr std::size_t window_max = 256;
  static void average(double& value, Steady::duration sample) {
    value += (std::chrono::duration<double>(sample).count() - value) / 8;
  }

  std::size_t slots_;
  double exchange_seconds_ = 0.001, task_seconds_ = 1.0;  ///< moving averages
};

}  // namespace weir

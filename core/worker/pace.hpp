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
  /// A slot that has run one task for so long is blocked: nothing is expected of it soon.
  static constexpr std::chrono::milliseconds long_task{1'000};
  /// How long a task may wait in a worker that has more than its slots can start.
  static constexpr std::chrono::milliseconds waits_max{1'000};

  explicit Pace(std::size_t slots) : slots_(slots) {}

  /// How many slots there are now, and how many of them are blocked. The averages alone do not show
  /// that: they move when tasks end.
  void set_slots(std::size_t slots, std::size_t blocked) {
    slots_ = slots;
    blocked_ = std::min(blocked, slots);
  }
  std::size_t slots() const noexcept { return slots_; }
  std::size_t blocked() const noexcept { return blocked_; }

  void exchanged(Steady::duration took) { average(exchange_seconds_, took); }
  /// A task had its slot for so long.
  void ran(Steady::duration took) { average(task_seconds_, took); }
  /// The result of a task has so many bytes.
  void resulted(std::size_t bytes) { average(task_bytes_, static_cast<double>(bytes)); }

  double task_seconds() const noexcept { return task_seconds_; }
  /// How long an exchange takes.
  std::chrono::microseconds exchange_time() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::duration<double>(exchange_seconds_));
  }

  /// The number of slots, plus as many attempts as those can finish during an exchange that are not
  /// blocked; but no more than whose results have bytes_max together.
  std::size_t window() const {
    const double per_slot = exchange_seconds_ / std::max(task_seconds_, 1e-6);
    const double wanted =
        static_cast<double>(slots_) + static_cast<double>(slots_ - blocked_) * per_slot;
    const double in_memory = static_cast<double>(bytes_max) / std::max(task_bytes_, 1.0);
    return std::max(slots_, static_cast<std::size_t>(
                                std::min({static_cast<double>(window_max), wanted, in_memory})));
  }

  /// How many of them to begin with one exchange: while they run, an exchange settles those that the
  /// one before began.
  std::size_t batch() const { return std::max(slots_, window() / 2); }

  /// How many tasks to hold. Idle workers cannot claim runs that wait in another one, so it is no
  /// more than the slots can start, unless tasks are so short that the next exchange would come too
  /// late.
  std::size_t hold() const { return window() > slots_ ? 2 * window() - blocked_ : slots_; }

 private:
  static constexpr std::size_t window_max = 512;
  static constexpr std::size_t bytes_max = 16 * 1024 * 1024;  // two requests
  static void average(double& value, double sample) { value += (sample - value) / 8; }
  static void average(double& value, Steady::duration sample) {
    average(value, std::chrono::duration<double>(sample).count());
  }

  std::size_t slots_;
  std::size_t blocked_ = 0;
  double exchange_seconds_ = 0.001, task_seconds_ = 1.0, task_bytes_ = 0;  ///< moving averages
};

}  // namespace weir

#pragma once
#include <chrono>
#include <cstdint>

#include <weir/testing/lockstep/scheduler.hpp>

namespace weir::lockstep {

namespace detail {

/// A number that messages and traces show, and that is overwritten at destruction: a use after that
/// is found as long as the memory was not reused.
class ObjectNumber {
 public:
  ObjectNumber() noexcept {
    if (Scheduler* scheduler = Scheduler::current()) number_ = scheduler->new_object();
  }
  ~ObjectNumber() { number_ = Scheduler::destroyed; }
  ObjectNumber(const ObjectNumber&) = delete;
  ObjectNumber& operator=(const ObjectNumber&) = delete;
  operator std::uint32_t() const noexcept { return number_; }

 private:
  volatile std::uint32_t number_ = 0;  // volatile: the last store must not be optimised away
};

inline void point(Operation operation, std::uint32_t object) {
  if (Scheduler* scheduler = Scheduler::current()) scheduler->point(operation, object);
}

}  // namespace detail

/// Virtual time, zero at the beginning of every schedule. It passes only up to the next deadline
/// that a task waits for: when the strategy chooses so, at the latest when no task can continue.
struct Clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept {
    const Scheduler* scheduler = Scheduler::current();
    return time_point(duration(scheduler == nullptr ? 0 : scheduler->now()));
  }
};

}  // namespace weir::lockstep

#pragma once
#include <cassert>
#include <chrono>
#include <cstddef>
#include <deque>

namespace weir {

/// How many restarts there may be before a supervisor gives up: `max_restarts` within
/// `max_seconds`, from 1 s to a year.
struct RestartLimit {
  std::size_t max_restarts = 3;
  std::chrono::seconds max_seconds{5};
};

/// The restarts of the last `max_seconds`.
///
/// Threads: one. Invariants: it holds at most `max_restarts` moments, oldest first; a restart
/// counts up to and including the moment `max_seconds` after it.
template <class Clock>
class RestartWindow {
 public:
  explicit RestartWindow(RestartLimit limit) : limit_(limit) {}

  /// Counts one more restart; false when that is one too many, and then it is not counted.
  bool allow(typename Clock::time_point now) {
    assert(restarts_.empty() || restarts_.back() <= now);
    while (!restarts_.empty() && now - restarts_.front() > limit_.max_seconds)
      restarts_.pop_front();
    if (restarts_.size() >= limit_.max_restarts) return false;
    restarts_.push_back(now);
    return true;
  }

  /// How many count, as of the last call of allow().
  std::size_t count() const noexcept { return restarts_.size(); }

 private:
  RestartLimit limit_;
  std::deque<typename Clock::time_point> restarts_;
};

}  // namespace weir

#pragma once
#include <chrono>
#include <cstdint>

#include "simulation/stage.hpp"

namespace weir::simulation {

// The probability of each fault, per million; drawn from the seed, so that some schedules have
// few faults and others many. After end(), only handlers still fail.
struct FaultRates {
  std::uint64_t request_lost = 0;       // the connection breaks before a request arrives
  std::uint64_t reply_lost = 0;         // the connection breaks after the request was committed
  std::uint64_t commit_late = 0;        // the connection breaks, and the request is committed later
  std::uint64_t notification_lost = 0;  // a notification does not arrive
  std::uint64_t notification_doubled = 0;  // a notification arrives twice
  std::uint64_t request_slow = 0;          // a request takes seconds
  std::uint64_t row_locked = 0;            // somebody else has locked a run's row at the moment
  std::uint64_t handler_fails = 0;
  std::uint64_t handler_overruns = 0;  // a handler runs longer than its timeout
  std::uint64_t handler_hangs = 0;     // a handler runs until the faults end

  void end() { *this = {.handler_fails = handler_fails}; }
};

inline bool happens(std::uint64_t of_a_million, Random& random) {
  return random() % 1'000'000 < of_a_million;
}

// A uniformly distributed duration from 0 to `limit`, inclusive.
inline Duration up_to(Duration limit, Random& random) {
  return Duration(
      static_cast<std::int64_t>(random() % (static_cast<std::uint64_t>(limit.count()) + 1)));
}

}  // namespace weir::simulation

#pragma once
#include <chrono>
#include <cstdint>

#include "simulation/stage.hpp"

namespace weir::simulation {

// The probability of each fault, per million; drawn from the seed, so that some schedules are calm
// and others wild. Once the weather has cleared up, only handlers still fail.
struct Weather {
  std::uint64_t call_lost = 0;       // the connection breaks before a call arrives
  std::uint64_t answer_lost = 0;     // the connection breaks after the call was committed
  std::uint64_t commit_late = 0;     // the connection breaks, and the call is committed later
  std::uint64_t notice_lost = 0;     // a notification does not arrive
  std::uint64_t notice_doubled = 0;  // a notification arrives twice
  std::uint64_t call_slow = 0;       // a call takes seconds
  std::uint64_t handler_fails = 0;
  std::uint64_t handler_overstays = 0;  // a handler runs longer than its timeout
  std::uint64_t handler_hangs = 0;      // a handler runs until the weather clears up

  void clears_up() { *this = {.handler_fails = handler_fails}; }
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

#pragma once
#include <chrono>
#include <cstdint>

#include "simulation/stage.hpp"

namespace weir::simulation {

// How often things go wrong, of a million times each; drawn from the seed, so that some schedules
// are calm and others wild. Nothing at all goes wrong once it has cleared up.
struct Weather {
  std::uint64_t call_lost = 0;       // the connection breaks before a call arrives
  std::uint64_t answer_lost = 0;     // … after it was committed
  std::uint64_t commit_late = 0;     // … and it is committed some time after
  std::uint64_t notice_lost = 0;     // a notification is not heard
  std::uint64_t notice_doubled = 0;  // … or twice
  std::uint64_t call_slow = 0;       // a call takes seconds
  std::uint64_t handler_fails = 0;
  std::uint64_t handler_overstays = 0;  // runs longer than its timeout
  std::uint64_t handler_hangs = 0;      // … and until the weather clears up

  void clears_up() { *this = {.handler_fails = handler_fails}; }
};

inline bool happens(std::uint64_t of_a_million, Random& random) {
  return random() % 1'000'000 < of_a_million;
}

// 0 … limit, evenly.
inline Duration up_to(Duration limit, Random& random) {
  return Duration(
      static_cast<std::int64_t>(random() % (static_cast<std::uint64_t>(limit.count()) + 1)));
}

}  // namespace weir::simulation

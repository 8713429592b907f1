#include "worker/duties.hpp"

#include <algorithm>

namespace weir {

using std::chrono::milliseconds;

Result<void> Duties::take_turns(Steady now) const {
  for (const Duty& duty : duties_)
    if (auto done = duty.turn(now); !done) return done;
  return {};
}

milliseconds Duties::nap(Steady now, milliseconds longest) const {
  Steady until = now + longest;
  for (const Duty& duty : duties_)
    if (const auto due = duty.due_at(now)) until = std::min(until, *due);
  return std::max(milliseconds(1), std::chrono::ceil<milliseconds>(until - now));
}

}  // namespace weir

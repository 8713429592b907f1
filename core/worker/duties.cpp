#include "worker/duties.hpp"

#include <algorithm>

namespace weir {

namespace {

using std::chrono::milliseconds;

bool is_of(const Duty& duty, Duties::Which which) {
  return which == Duties::Which::all || duty.calls == Duty::Calls::nothing;
}

}  // namespace

Result<void> Duties::take_turns(Steady now, Which which) const {
  for (const Duty& duty : duties_) {
    if (!is_of(duty, which)) continue;
    if (auto done = duty.turn(now); !done) return done;
  }
  return {};
}

milliseconds Duties::nap(Steady now, milliseconds longest, Which which) const {
  Steady until = now + longest;
  for (const Duty& duty : duties_) {
    if (!is_of(duty, which)) continue;
    if (const auto due = duty.due_at(now)) until = std::min(until, *due);
  }
  return std::max(milliseconds(1), std::chrono::ceil<milliseconds>(until - now));
}

bool Duties::is_other_call_due(Steady now) const {
  return std::ranges::any_of(duties_, [&](const Duty& duty) {
    return duty.calls == Duty::Calls::something_else &&
           duty.due_at(now).value_or(Steady::max()) <= now;
  });
}

}  // namespace weir

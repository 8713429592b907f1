#include "worker/trial.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace weir {

void Trial::adopt(RunKey key, OwnedRun& run) {
  run.set_aside.emplace();
  const auto is_own = [key](const InFlightTask& suspect) { return suspect.run == key; };
  std::ranges::copy_if(expected_, std::back_inserter(waiting_), is_own);
  std::erase_if(expected_, is_own);
}

void Trial::turn(RunBook& runs) {
  for (const auto& [key, run] : runs)
    if (run.in_flight > 0 || run.due() > 0) return;
  const auto has_ended = [&](const InFlightTask& suspect) {
    const OwnedRun* const run = runs.find(suspect.run);
    return run == nullptr || run->leaving || !run->is_set_aside(suspect.task, suspect.attempt);
  };
  std::erase_if(waiting_, has_ended);
  const auto half = waiting_.begin() + static_cast<std::ptrdiff_t>((waiting_.size() + 1) / 2);
  for (auto suspect = waiting_.begin(); suspect != half; ++suspect)
    runs.at(suspect->run).take_up(suspect->task);
  waiting_.erase(waiting_.begin(), half);
}

bool Trial::has(RunKey key) const {
  return std::ranges::any_of(waiting_,
                             [key](const InFlightTask& suspect) { return suspect.run == key; });
}

void Trial::end() {
  if (std::exchange(ended_, true)) return;
  trial_.on_end();
}

}  // namespace weir

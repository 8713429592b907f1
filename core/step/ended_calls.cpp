#include "step/ended_calls.hpp"

#include <fmt/core.h>

namespace weir {

EndedCalls& EndedCalls::of_process() {
  static EndedCalls& calls = *new EndedCalls;
  return calls;
}

void EndedCalls::add(std::uint64_t number, const Attempt& attempt,
                     const std::shared_ptr<StepLines>& lines) {
  const FlowDefinition& flow = attempt.flow->definition;
  Place& place = places_[number % remembered];
  const std::lock_guard lock(place.mutex);
  place.number = number;
  place.lines = lines;
  place.run_id = attempt.run_id;  // in the memory of those before, as the others
  place.flow = flow.slug().view();
  place.step = flow.steps()[attempt.task.step].slug.view();
  place.attempt = attempt.number;
}

void EndedCalls::used(std::uint64_t number, std::string_view does) {
  std::shared_ptr<StepLines> lines;
  std::string text;
  {
    Place& place = places_[number % remembered];
    const std::lock_guard lock(place.mutex);
    if (place.number != number) return;
    place.number = 0;  // it is told once
    text = fmt::format(
        "run {}: {}.{} (attempt {}) {} after its deferred call was completed: that is refused",
        place.run_id, place.flow, place.step, place.attempt, does);
    lines = place.lines.lock();
  }
  if (lines) lines->warning(text);
}

}  // namespace weir

#include "step/ended_calls.hpp"

#include <iterator>
#include <utility>

#include <fmt/format.h>

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
  place.whose.clear();  // and keeps its memory
  fmt::format_to(std::back_inserter(place.whose), "run {}: {}.{} (attempt {})", attempt.run_id,
                 flow.slug().view(), flow.steps()[attempt.task.step].slug.view(), attempt.number);
}

void EndedCalls::used(std::uint64_t number, std::string_view does) {
  std::shared_ptr<StepLines> lines;
  std::string whose;
  {
    Place& place = places_[number % remembered];
    const std::lock_guard lock(place.mutex);
    if (place.number != number) return;
    place.number = 0;  // it is told once
    whose = std::move(place.whose);
    lines = place.lines.lock();
  }
  if (lines)
    lines->warning(
        fmt::format("{} {} after its deferred call was completed: that is refused", whose, does));
}

}  // namespace weir

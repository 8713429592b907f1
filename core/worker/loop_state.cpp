#include "worker/loop_state.hpp"

namespace weir {

void LoopState::log_failure(std::string_view run, const FlowDefinition& flow,
                            const JournalRow& row) const {
  if (row.outcome == Outcome::completed) return;
  log.info("run {}: {}.{} attempt {} {}: {}", run, flow.slug().view(),
           flow.steps()[row.task.step].slug.view(), row.attempt, name(row.outcome), row.error);
}

}  // namespace weir

#include "worker/loop_state.hpp"

#include <utility>

#include "base/assert.hpp"

namespace weir {

void LoopState::journal(RunKey key, OwnedRun& run, JournalRow row, std::optional<PluginId> plugin) {
  const auto folded = run.apply(row);
  WEIR_ASSERT(folded.has_value());
  outbox.settle(key, std::move(row), plugin);
}

void LoopState::log_failure(std::string_view run, const FlowDefinition& flow,
                            const JournalRow& row) const {
  if (row.outcome == Outcome::completed) return;
  log.info("run {}: {}.{} attempt {} {}: {}", run, flow.slug().view(),
           flow.steps()[row.task.step].slug.view(), row.attempt, name(row.outcome), row.error);
}

}  // namespace weir

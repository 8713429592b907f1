#include "worker/child_runs.hpp"

#include <chrono>
#include <utility>

#include <fmt/core.h>

#include "worker/away.hpp"

namespace weir {
namespace {

constexpr std::chrono::milliseconds away_pause{100};  // while the database is away

}  // namespace

AttemptResult ChildRuns::result_of(const ChildRunEnd& end, std::string_view flow) {
  if (end.status == RunStatus::completed)
    return {.outcome = Outcome::completed, .output = end.output};
  const bool failed = end.status == RunStatus::failed;
  return {.outcome = Outcome::failed_for_good,
          .error_code = failed ? "child_failed" : "child_cancelled",
          .error = fmt::format("child run {} of flow \"{}\" {}: {}", end.id, flow,
                               failed ? "failed" : "was cancelled", end.error)};
}

Result<void> ChildRuns::start(WorkerId worker, Steady now, RunBook& runs,
                              const Callbacks& callbacks) {
  if (!due_ || now < retry_at_) return {};
  due_ = false;
  for (auto& [key, run] : runs) {
    if (run.leaving || !run.has_child_starts() || callbacks.is_held(run)) continue;
    const auto started = start_of(worker, key, run, callbacks);
    if (started) continue;
    if (!is_away(started.error())) return started;
    log_.warn("cannot start a child run, retrying: {}", to_string(started.error()));
    due_ = true;
    retry_at_ = now + away_pause;
    return {};
  }
  return {};
}

Result<void> ChildRuns::start_of(WorkerId worker, RunKey key, OwnedRun& run,
                                 const Callbacks& callbacks) {
  Result<void> all;
  for (const ReadyTask& task : run.take_child_starts()) {
    const StepDefinition& step = run.flow()->definition.steps()[task.task.step];
    const auto started =
        all ? store_.start_child(worker, key, task.task.step, task.attempt, step.child->string(),
                                 run.state().input_of(task.task))
            : all;
    if (started) {
      callbacks.started(key, run, task.task.step);
    } else if (is_away(started.error()) || started.error().code == ErrorCode::lease_lost) {
      run.retry_start(task);
      all = std::unexpected(started.error());
    } else {
      run.forget_child(task);
      const bool for_good = started.error().code == ErrorCode::invalid_input;
      callbacks.failed(key, run, task,
                       {.outcome = for_good ? Outcome::failed_for_good : Outcome::failed,
                        .error_code = started.error().kind,
                        .error = to_string(started.error())});
    }
  }
  return all;
}

}  // namespace weir

#include "worker/child_runs.hpp"

#include <chrono>
#include <utility>

#include <fmt/core.h>

#include "worker/away.hpp"

namespace weir {
namespace {

constexpr std::chrono::milliseconds away_pause{100};  // while the database or a parent is away

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

std::optional<Steady> ChildRuns::due_at() const {
  if (due_) return retry_at_;
  std::optional<Steady> next;
  for (const auto& [run, until] : busy_until_)
    if (!next || until < *next) next = until;
  return next;
}

ChildRuns::Batch ChildRuns::take(Steady now, RunBook& runs, const Callbacks& callbacks) {
  Batch batch;
  std::size_t bytes = 0;
  for (auto& [key, run] : runs) {
    if (run.leaving || !run.has_child_starts() || callbacks.is_held(run)) continue;
    if (const auto busy = busy_until_.find(key); busy != busy_until_.end() && now < busy->second)
      continue;
    while (run.has_child_starts() && batch.starts.size() < count_max && bytes < bytes_max) {
      const ReadyTask task = run.take_child_start();
      const StepDefinition& step = run.flow()->definition.steps()[task.task.step];
      batch.starts.push_back({&run, task});
      batch.requested.push_back({.parent = key,
                                 .step = task.task.step,
                                 .attempt = task.attempt,
                                 .flow = step.child->string(),
                                 .input = run.state().input_of(task.task)});
      bytes += batch.requested.back().input.text().size();
    }
    if (run.has_child_starts()) due_ = true;
  }
  std::erase_if(busy_until_, [now](const auto& busy) { return busy.second <= now; });
  return batch;
}

Result<void> ChildRuns::start(WorkerId worker, std::chrono::milliseconds lease, Steady now,
                              RunBook& runs, const Callbacks& callbacks) {
  if (const auto due = due_at(); !due || now < *due) return {};
  due_ = false;
  const Batch batch = take(now, runs, callbacks);
  if (batch.starts.empty()) return {};
  const auto answer = store_.start_children(worker, lease, batch.requested);
  if (!answer) {
    for (const Start& start : batch.starts) start.parent->retry_start(start.task);
    if (!is_away(answer.error())) return std::unexpected(answer.error());
    starting_.failed(answer.error(), now);
    due_ = true;
    retry_at_ = now + away_pause;
    return {};
  }
  starting_.succeeded(now);
  for (std::size_t i = 0; i < batch.starts.size(); ++i) {
    auto& [parent, task] = batch.starts[i];
    const RunKey key = batch.requested[i].parent;
    const Result<void>& started = (*answer)[i];
    if (started) {
      callbacks.started(key, *parent, task.task.step);
    } else if (started.error().code == ErrorCode::lease_lost) {
      return started;
    } else if (is_away(started.error())) {
      parent->retry_start(task);
      busy_until_.insert_or_assign(key, now + away_pause);
    } else {
      parent->forget_child(task);
      const bool for_good = started.error().code == ErrorCode::invalid_input;
      callbacks.failed(key, *parent, task,
                       {.outcome = for_good ? Outcome::failed_for_good : Outcome::failed,
                        .error_code = started.error().kind,
                        .error = to_string(started.error())});
    }
  }
  return {};
}

}  // namespace weir

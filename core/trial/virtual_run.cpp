#include "trial/virtual_run.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include "base/assert.hpp"

namespace weir {

VirtualEnd run_virtually(
    const FlowDefinition& definition, std::vector<StepOptions> options, const Json& input,
    const std::function<AttemptResult(const RunState&, const ReadyTask&)>& execute) {
  constexpr std::int64_t run = 1;
  RunState state(definition, std::move(options), run, input, Time{});
  VirtualEnd virtual_run;
  std::vector<VirtualAttempt>& attempts = virtual_run.attempts;
  std::vector<ReadyTask> waiting;
  std::vector<std::size_t> running;  // in attempts
  std::map<TaskId, Time> ended;
  const auto ends_at = [&](std::size_t attempt) { return attempts[attempt].row.ended_at; };

  while (!state.end()) {
    for (ReadyTask& task : state.take_ready()) waiting.push_back(task);
    const auto next = std::ranges::min_element(waiting, {}, &ReadyTask::not_before);
    const auto ending = std::ranges::min_element(running, {}, ends_at);
    if (ending != running.end() &&
        (next == waiting.end() || ends_at(*ending) <= next->not_before)) {
      const JournalRow& row = attempts[*ending].row;
      const auto folded = state.apply(row);
      WEIR_ASSERT(folded.has_value());
      ended[row.task] = row.ended_at;
      virtual_run.elapsed = row.ended_at - Time{};
      running.erase(ending);
      continue;
    }
    WEIR_ASSERT(next != waiting.end());
    const ReadyTask task = *next;
    waiting.erase(next);
    const StepOptions& step = state.options(task.task.step);
    VirtualAttempt attempt;
    attempt.input = state.input_of(task.task);
    attempt.waited =
        task.attempt == 1 ? Duration(step.start_delay) : task.not_before - ended.at(task.task);
    attempt.row = state.judge(task.task, task.attempt, execute(state, task));
    attempt.row.started_at = attempt.row.ended_at = task.not_before;
    if (attempt.row.outcome == Outcome::timed_out) attempt.row.ended_at += step.timeout;
    running.push_back(attempts.size());
    attempts.push_back(std::move(attempt));
  }
  for (const std::size_t left : running)
    attempts[left].row = {.task = attempts[left].row.task,
                          .attempt = attempts[left].row.attempt,
                          .outcome = Outcome::cancelled,
                          .error_code = "run_ended",
                          .error = "the run ended while it ran",
                          .started_at = attempts[left].row.started_at,
                          .ended_at = Time{} + virtual_run.elapsed};
  virtual_run.end = *state.end();
  return virtual_run;
}

}  // namespace weir

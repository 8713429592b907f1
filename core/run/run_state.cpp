#include "run/run_state.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/core.h>

#include "base/assert.hpp"
#include "run/backoff.hpp"
#include "run/outcome_rules.hpp"

namespace weir {
namespace {

using std::chrono::milliseconds;

// The error code of P6, whose message names the steps.
constexpr std::string_view type_violation = "type_violation";

constexpr milliseconds wait_max = std::chrono::days(365);  // of retry_after
constexpr int attempts_max = std::numeric_limits<std::int16_t>::max();

}  // namespace

Json wait_output(const std::optional<Json>& payload) {
  std::vector<std::pair<std::string, Json>> members = {
      {"signalled", Json::boolean(payload.has_value())}};
  if (payload) members.emplace_back("payload", *payload);
  return Json::object(members);
}

RunState::RunState(const FlowDefinition& definition, std::vector<StepOptions> options,
                   std::int64_t run, Json input, Time available_at)
    : definition_(&definition),
      options_(std::move(options)),
      run_(run),
      steps_(definition, std::move(input), available_at) {
  WEIR_ASSERT(options_.size() == definition.steps().size());
  queue_begun();
}

JournalRow RunState::make_row(TaskId task, int attempt, AttemptResult result) const {
  WEIR_ASSERT(attempt >= 1);
  const StepDefinition& step = definition_->steps().at(task.step);
  JournalRow row{.task = task,
                 .attempt = attempt,
                 .outcome = result.outcome,
                 .output = std::move(result.output),
                 .error_code = std::move(result.error_code),
                 .error = std::move(result.error),
                 .retry_after = result.retry_after};
  if (row.outcome != Outcome::completed) return row;
  WEIR_ASSERT(row.output.has_value());
  if (const auto map = violated_map(task.step, *row.output)) {
    row.outcome = Outcome::failed_for_good;
    row.error_code = type_violation;
    row.error = fmt::format("step \"{}\" maps over the output of \"{}\", which is {}, not an array",
                            definition_->steps()[*map].slug.view(), step.slug.view(),
                            weir::described(row.output->type()));
  }
  return row;
}

Result<void> RunState::apply(const JournalRow& row) {
  if (auto possible = check(row); !possible) return possible;
  if (row.outcome == Outcome::skipped) {
    apply_skip(row);
    return {};
  }
  if (steps_.is_skipped(row.task.step)) return {};
  settled_ = false;
  TaskState& task = steps_.task(row.task);
  task.attempts = static_cast<std::int16_t>(row.attempt);
  steps_.note_attempt_end(row.task.step, row.ended_at);
  forget_failure(row.task);
  const OutcomeRule& rule = rule_of(row.outcome);
  WEIR_ASSERT(rule.after != AfterRow::skip);  // apply_skip() did it
  if (rule.resets_counts) task.charged = task.lost = 0;
  if (rule.charged) ++task.charged;
  if (rule.lost) ++task.lost;
  switch (rule.after) {
    case AfterRow::complete:
      steps_.complete(row.task, *row.output);
      queue_begun();
      break;
    case AfterRow::retry:
      retry_or_fail(row);
      break;
    case AfterRow::fail:
      fail_task(row, row.error_code == type_violation
                         ? row.error
                         : fmt::format("{} failed for good: {}", described(row.task), row.error));
      break;
    case AfterRow::requeue:
      requeue(row, Duration{0});
      break;
    case AfterRow::skip:
      break;
  }
  return {};
}

// A skip that was journaled holds, whatever the present options would decide.
void RunState::apply_skip(const JournalRow& row) {
  const std::size_t step = row.task.step;
  steps_.mark_journaled(step);
  if (steps_.is_skipped(step)) return;
  settled_ = false;
  const StepConditions& conditions = definition_->steps()[step].conditions;
  const SkipReason reason = *skip_reason(row.error_code);
  skip(step, reason, row.ended_at,
       reason == SkipReason::condition_unmet  ? conditions.when_unmet
       : reason == SkipReason::handler_failed ? conditions.when_exhausted
                                              : Fallback::skip_cascade);
}

std::vector<ReadyTask> RunState::take_ready() {
  settle();
  if (end_) return {};
  std::vector<ReadyTask> ready = std::exchange(ready_, {});
  std::erase_if(ready, [&](const ReadyTask& entry) {  // outdated by rows that were folded since
    if (steps_.is_skipped(entry.task.step)) return true;
    const TaskState& task = steps_.task(entry.task);
    return task.completed || entry.attempt != task.attempts + 1;
  });
  return ready;
}

std::vector<OpenWait> RunState::waits() const {
  settle();
  std::vector<OpenWait> open;
  if (end_) return open;
  for (const std::size_t step : steps_.waits())
    open.push_back(
        {.step = step,
         .until = steps_.begins_at(step) + options_[step].start_delay + options_[step].timeout});
  return open;
}

std::vector<JournalRow> RunState::take_skips() {
  settle();
  return steps_.take_skips();
}

std::vector<StepEnd> RunState::take_step_ends() {
  settle();
  std::vector<StepEnd> ends = steps_.take_ends();
  if (end_ && end_->status == RunStatus::failed)
    for (auto& [step, reported] : failed_steps_)
      if (!std::exchange(reported, true))
        ends.push_back({.step = step, .kind = StepEnd::Kind::failed});
  return ends;
}

bool RunState::still_needed(TaskId task) const {
  settle();
  return !end_ && !steps_.is_skipped(task.step);
}

void RunState::cancel(std::string reason) {
  settle();
  if (end_) return;
  cancelled_ = std::move(reason);
  find_end();
}

Json RunState::input_of(TaskId task) const { return steps_.input_of(task); }

const std::optional<RunEnd>& RunState::end() const {
  settle();
  return end_;
}

// Makes the decisions that rows left open; only when asked, as later rows of the journal may
// contain another decision. A run that has ended skips nothing more.
void RunState::settle() const {
  if (std::exchange(settled_, true)) return;
  while (!cancelled_) {
    fail_unmet();
    if (!failures_.empty()) break;
    if (const auto unmet = steps_.unmet(); !unmet.empty()) {
      for (const std::size_t step : unmet)
        skip(step, SkipReason::condition_unmet, steps_.begins_at(step),
             definition_->steps()[step].conditions.when_unmet);
    } else if (!exhausted_.empty()) {
      const auto [at, task] = *exhausted_.begin();
      skip(task.step, SkipReason::handler_failed, at,
           definition_->steps()[task.step].conditions.when_exhausted);
    } else {
      break;
    }
  }
  find_end();
}

// F7: among steps whose conditions are unmet, those that fail the run are handled first. Also when
// it has failed otherwise, so that its end does not depend on when it is asked for.
void RunState::fail_unmet() const {
  for (const std::size_t step : steps_.unmet()) {
    const TaskId none{step, 0};  // a step that has not begun has no tasks
    if (definition_->steps()[step].conditions.when_unmet != Fallback::fail ||
        failed_tasks_.contains(none))
      continue;
    const Time at = steps_.begins_at(step);
    failed_tasks_[none] = {
        at, fmt::format("step \"{}\": its condition is not met: {}",
                        definition_->steps()[step].slug.view(), steps_.unmet_reason(step))};
    failures_.insert({at, none});
    failed_steps_.emplace(step, false);
  }
}

void RunState::skip(std::size_t step, SkipReason reason, Time at, Fallback fallback) const {
  steps_.skip(step, reason, at, fallback == Fallback::skip_cascade);
  for (auto each = failed_tasks_.lower_bound({step, 0});
       each != failed_tasks_.end() && each->first.step == step;) {
    const TaskId task = (each++)->first;
    forget_failure(task);
  }
  queue_begun();
}

void RunState::queue_begun() const {
  for (const std::size_t step : steps_.take_begun()) {
    const Time not_before = steps_.begins_at(step) + options_[step].start_delay;
    for (std::size_t index = 0; index < steps_.task_count(step); ++index)
      ready_.push_back({.task = {step, index}, .attempt = 1, .not_before = not_before});
  }
}

void RunState::requeue(const JournalRow& row, Duration wait) {
  ready_.push_back(
      {.task = row.task, .attempt = row.attempt + 1, .not_before = row.ended_at + wait});
}

void RunState::retry_or_fail(const JournalRow& row) {
  const TaskState& task = steps_.task(row.task);
  const StepOptions& options = options_[row.task.step];
  const bool lost = row.outcome == Outcome::lost;
  if (lost ? task.lost > losses_max : task.charged >= options.max_attempts) {
    fail_task(row, lost ? fmt::format("{} was lost with its worker {} times", described(row.task),
                                      task.lost)
                        : fmt::format("{} failed after {} attempt{}: {}", described(row.task),
                                      task.charged, task.charged == 1 ? "" : "s", row.error));
    return;
  }
  requeue(row, lost              ? Duration{0}
               : row.retry_after ? Duration{std::clamp(*row.retry_after, milliseconds{0}, wait_max)}
                                 : backoff(options, run_, row.task, task.charged));
}

// P6 is a fault of the flow, not of an attempt: no fallback covers it.
void RunState::fail_task(const JournalRow& row, std::string error) {
  WEIR_DEBUG_ASSERT(!failed_tasks_.contains(row.task));  // apply() forgot the failure before it
  failed_tasks_[row.task] = {row.ended_at, std::move(error)};
  const bool fails =
      row.error_code == type_violation ||
      definition_->steps()[row.task.step].conditions.when_exhausted == Fallback::fail;
  (fails ? failures_ : exhausted_).insert({row.ended_at, row.task});
  if (fails) failed_steps_.emplace(row.task.step, false);
}

void RunState::forget_failure(TaskId task) const {
  const auto found = failed_tasks_.find(task);
  if (found == failed_tasks_.end()) return;
  failures_.erase({found->second.at, task});
  exhausted_.erase({found->second.at, task});
  failed_tasks_.erase(found);
  const auto other = failed_tasks_.lower_bound({task.step, 0});
  if (other == failed_tasks_.end() || other->first.step != task.step)
    failed_steps_.erase(task.step);
}

void RunState::find_end() const {
  // Every failed task either fails the run or skips its step.
  WEIR_ASSERT(failures_.size() + exhausted_.size() == failed_tasks_.size());
  end_.reset();
  if (cancelled_) {
    end_ = RunEnd{.status = RunStatus::cancelled, .error = *cancelled_};
  } else if (!failures_.empty()) {
    const TaskId first = failures_.begin()->second;
    end_ = RunEnd{.status = RunStatus::failed,
                  .error = failed_tasks_.at(first).error,
                  .failed_step = first.step};
  } else if (steps_.all_ended()) {
    end_ = steps_.end();
    if (const std::size_t bytes = end_->output.text().size(); bytes > run_output_bytes_max)
      end_ = RunEnd{.status = RunStatus::failed,
                    .error = fmt::format("the output of the run has {} bytes, at most {} are "
                                         "allowed: let its final steps return less",
                                         bytes, run_output_bytes_max)};
  }
}

Result<void> RunState::check(const JournalRow& row) const {
  const auto impossible = [&](std::string_view why) {
    return std::unexpected(
        Error{.code = ErrorCode::corrupt,
              .kind = "impossible_journal_row",
              .message = fmt::format("run {}, step {}, task {}, attempt {}: {}", run_,
                                     row.task.step, row.task.index, row.attempt, why),
              .hint = "the journal does not fit the flow's definition"});
  };
  if (row.task.step >= options_.size()) return impossible("the flow has no such step");
  const std::string_view why =
      row.outcome == Outcome::skipped ? fault_of_skip(row) : fault_of_attempt(row);
  if (!why.empty()) return impossible(why);
  return {};
}

std::string_view RunState::fault_of_skip(const JournalRow& row) const {
  const std::size_t step = row.task.step;
  if (row.task.index != 0 || row.attempt != 0) return "a skip that names a task or an attempt";
  if (!skip_reason(row.error_code)) return "a skip without a reason";
  if (steps_.is_completed(step)) return "the step was completed before";
  if (steps_.is_skip_journaled(step)) return "the step was skipped before";
  return "";
}

std::string_view RunState::fault_of_attempt(const JournalRow& row) const {
  if (steps_.is_skipped(row.task.step)) return row.attempt > 0 ? "" : "an attempt without a number";
  if (!steps_.has_begun(row.task.step)) settle();
  if (steps_.is_skipped(row.task.step)) return "";
  if (!steps_.has_begun(row.task.step) || row.task.index >= steps_.task_count(row.task.step))
    return "the step has no such task";
  const TaskState& task = steps_.task(row.task);
  if (task.completed) return "the task was completed before";
  if (definition_->steps()[row.task.step].kind == StepKind::wait &&
      row.outcome != Outcome::completed)
    return "a wait that did not complete";
  if (row.attempt <= task.attempts) return "the attempt was journaled before";
  if (row.attempt > task.attempts + 1) return "the attempt before it is missing";
  if (row.attempt > attempts_max) return "more attempts than a task can have";
  if (row.outcome != Outcome::completed) return "";
  if (!row.output) return "a completed attempt without output";
  if (violated_map(row.task.step, *row.output))
    return "a completed attempt without the array that is mapped over";
  return "";
}

std::string RunState::described(TaskId task) const {
  const StepDefinition& step = definition_->steps()[task.step];
  return step.kind == StepKind::map
             ? fmt::format("step \"{}\", element {},", step.slug.view(), task.index)
             : fmt::format("step \"{}\"", step.slug.view());
}

// P6: the map that runs over what this step returned, if that is not an array.
std::optional<std::size_t> RunState::violated_map(std::size_t position, const Json& output) const {
  const auto& steps = definition_->steps();
  if (steps[position].kind == StepKind::map || output.type() == JsonType::array)
    return std::nullopt;
  for (const std::size_t dependent : steps[position].dependents)
    if (steps[dependent].kind == StepKind::map) return dependent;
  return std::nullopt;
}

}  // namespace weir

#include "run/run_state.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/assert.hpp"
#include "run/backoff.hpp"

namespace weir {
namespace {

using std::chrono::milliseconds;

// P6: its message names the steps itself.
constexpr std::string_view type_violation = "type_violation";

constexpr milliseconds wait_max = std::chrono::days(365);  // of retry_after

}  // namespace

Json wait_output(const std::optional<Json>& payload) {
  std::vector<std::pair<std::string, Json>> members = {
      {"signalled", Json::trusted(payload ? "true" : "false")}};
  if (payload) members.emplace_back("payload", *payload);
  return Json::object(members);
}

RunState::RunState(const FlowDefinition& definition, std::vector<StepOptions> options,
                   std::int64_t run, Json input, Time available_at)
    : definition_(&definition),
      options_(std::move(options)),
      run_(run),
      input_(std::move(input)),
      steps_(definition.steps().size()),
      steps_open_(steps_.size()) {
  WEIR_ASSERT(options_.size() == steps_.size());
  std::deque<std::size_t> completed;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    steps_[i].dependencies_open = definition.steps()[i].depends_on.size();
    if (steps_[i].dependencies_open > 0) continue;
    steps_[i].begins_at = available_at;
    release(i);
    if (steps_[i].tasks_open == 0) completed.push_back(i);
  }
  settle_steps(std::move(completed));
  find_end();
}

JournalRow RunState::judge(TaskId task, int attempt, AttemptResult result) const {
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
  if (breaks_map(task.step, *row.output)) {
    const auto& steps = definition_->steps();
    const auto map = std::ranges::find_if(step.dependents, [&](std::size_t dependent) {
      return steps[dependent].kind == StepKind::map;
    });
    row.outcome = Outcome::failed_for_good;
    row.error_code = type_violation;
    row.error =
        fmt::format("step \"{}\" maps over the output of \"{}\", which is {}, not an array",
                    steps[*map].slug.view(), step.slug.view(), weir::described(row.output->type()));
  }
  return row;
}

Result<void> RunState::apply(const JournalRow& row) {
  if (auto possible = check(row); !possible) return possible;
  Step& step = steps_[row.task.step];
  Task& task = step.tasks[row.task.index];
  task.attempts = row.attempt;
  step.ends_at = std::max(step.ends_at, row.ended_at);
  if (task.failed_at) failures_.erase({*std::exchange(task.failed_at, std::nullopt), row.task});
  switch (row.outcome) {
    case Outcome::completed:
      task.completed = true;
      task.output = *row.output;
      if (--step.tasks_open == 0) settle_steps({row.task.step});
      break;
    case Outcome::failed:
    case Outcome::timed_out:
      ++task.charged;
      retry_or_fail(row, task);
      break;
    case Outcome::failed_for_good:
      ++task.charged;
      give_up(row, task,
              row.error_code == type_violation
                  ? row.error
                  : fmt::format("{} failed for good: {}", described(row.task), row.error));
      break;
    case Outcome::lost:
      ++task.lost;
      retry_or_fail(row, task);
      break;
    case Outcome::cancelled:
    case Outcome::skipped:
    case Outcome::retried:
      break;
  }
  find_end();
  return {};
}

std::vector<ReadyTask> RunState::take_ready() {
  if (end_) return {};
  std::vector<ReadyTask> ready = std::exchange(ready_, {});
  std::erase_if(ready, [&](const ReadyTask& entry) {  // overtaken by rows that were folded since
    const Task& task = steps_[entry.task.step].tasks[entry.task.index];
    return task.completed || entry.attempt != task.attempts + 1;
  });
  return ready;
}

Json RunState::input_of(TaskId task) const {
  const StepDefinition& step = definition_->steps().at(task.step);
  if (step.kind == StepKind::map) {
    const Step& state = steps_[task.step];
    return state.elements.empty() ? steps_[step.depends_on.front()].tasks.at(task.index).output
                                  : state.elements.at(task.index);
  }
  if (step.depends_on.empty()) return input_;
  std::vector<std::pair<std::string, Json>> members;
  for (const std::size_t dependency : step.depends_on)
    members.emplace_back(definition_->steps()[dependency].slug.string(), output_of(dependency));
  return Json::object(members);
}

// Steps without tasks complete at once and so on down the graph: a list of work, no recursion (P5).
// Times are the latest of what went before, so that the order in which rows are folded does not
// show.
void RunState::settle_steps(std::deque<std::size_t> completed) {
  for (; !completed.empty(); completed.pop_front()) {
    --steps_open_;
    const Step& done = steps_[completed.front()];
    for (const std::size_t dependent : definition_->steps()[completed.front()].dependents) {
      Step& next = steps_[dependent];
      next.begins_at = std::max({next.begins_at, done.begins_at, done.ends_at});
      if (--next.dependencies_open > 0) continue;
      release(dependent);
      if (next.tasks_open == 0) completed.push_back(dependent);
    }
  }
}

// P3: where the tasks of a step are counted from.
void RunState::count_tasks(std::size_t position) {
  const StepDefinition& step = definition_->steps()[position];
  Step& state = steps_[position];
  state.counted = true;
  std::size_t count = 1;
  if (step.kind == StepKind::map) {
    if (step.depends_on.empty()) {
      state.elements = input_.elements();
      count = state.elements.size();
    } else if (const std::size_t parent = step.depends_on.front();
               definition_->steps()[parent].kind == StepKind::map) {
      count = steps_[parent].tasks.size();
    } else {
      state.elements = steps_[parent].tasks.front().output.elements();
      count = state.elements.size();
    }
  }
  state.tasks.resize(count);
  state.tasks_open = count;
}

void RunState::release(std::size_t position) {
  count_tasks(position);
  const Time not_before = steps_[position].begins_at + options_[position].start_delay;
  for (std::size_t index = 0; index < steps_[position].tasks.size(); ++index)
    ready_.push_back({.task = {position, index}, .attempt = 1, .not_before = not_before});
}

void RunState::retry_or_fail(const JournalRow& row, Task& task) {
  const StepOptions& options = options_[row.task.step];
  const bool lost = row.outcome == Outcome::lost;
  if (lost ? task.lost > losses_max : task.charged >= options.max_attempts) {
    give_up(
        row, task,
        lost ? fmt::format("{} was lost with its worker {} times", described(row.task), task.lost)
             : fmt::format("{} failed after {} attempt{}: {}", described(row.task), task.charged,
                           task.charged == 1 ? "" : "s", row.error));
    return;
  }
  const Duration wait = lost ? Duration{0}
                        : row.retry_after
                            ? Duration{std::clamp(*row.retry_after, milliseconds{0}, wait_max)}
                            : backoff(options, run_, row.task, task.charged);
  ready_.push_back(
      {.task = row.task, .attempt = task.attempts + 1, .not_before = row.ended_at + wait});
}

void RunState::give_up(const JournalRow& row, Task& task, std::string error) {
  task.failed_at = row.ended_at;
  failures_.emplace(std::pair(row.ended_at, row.task), std::move(error));
}

std::vector<OpenWait> RunState::waits() const { return {}; }
std::vector<JournalRow> RunState::take_skips() { return {}; }
std::vector<StepEnd> RunState::take_step_ends() { return {}; }
bool RunState::wanted(TaskId) const { return !end_; }

void RunState::cancel(std::string reason) {
  if (end_) return;
  cancelled_ = std::move(reason);
  find_end();
}

void RunState::find_end() {
  end_.reset();
  if (cancelled_) {
    end_ = RunEnd{.status = RunStatus::cancelled, .error = *cancelled_};
  } else if (!failures_.empty()) {
    const auto& [first, error] = *failures_.begin();
    end_ = RunEnd{.status = RunStatus::failed, .error = error, .failed_step = first.second.step};
  } else if (steps_open_ == 0) {
    std::vector<std::pair<std::string, Json>> leaves;
    for (std::size_t i = 0; i < steps_.size(); ++i)
      if (definition_->steps()[i].dependents.empty())
        leaves.emplace_back(definition_->steps()[i].slug.string(), output_of(i));
    end_ = RunEnd{.status = RunStatus::completed, .output = Json::object(leaves)};
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
  if (row.task.step >= steps_.size()) return impossible("the flow has no such step");
  const Step& step = steps_[row.task.step];
  if (!step.counted || row.task.index >= step.tasks.size())
    return impossible("the step has no such task");
  const Task& task = step.tasks[row.task.index];
  if (task.completed) return impossible("the task was completed before");
  if (row.attempt <= task.attempts) return impossible("the attempt was journaled before");
  if (row.attempt > task.attempts + 1) return impossible("the attempt before it is missing");
  if (row.outcome != Outcome::completed) return {};
  if (!row.output) return impossible("a completed attempt without output");
  if (breaks_map(row.task.step, *row.output))
    return impossible("a completed attempt without the array that is mapped over");
  return {};
}

std::string RunState::described(TaskId task) const {
  const StepDefinition& step = definition_->steps()[task.step];
  return step.kind == StepKind::map
             ? fmt::format("step \"{}\", element {},", step.slug.view(), task.index)
             : fmt::format("step \"{}\"", step.slug.view());
}

// P6: whether a map runs over what this single step returned, and it is no array.
bool RunState::breaks_map(std::size_t position, const Json& output) const {
  const StepDefinition& step = definition_->steps()[position];
  return step.kind == StepKind::single && output.type() != JsonType::array &&
         std::ranges::any_of(step.dependents, [&](std::size_t dependent) {
           return definition_->steps()[dependent].kind == StepKind::map;
         });
}

Json RunState::output_of(std::size_t position) const {
  const Step& state = steps_[position];
  if (definition_->steps()[position].kind != StepKind::map) return state.tasks.front().output;
  std::vector<Json> outputs;
  outputs.reserve(state.tasks.size());
  for (const Task& task : state.tasks) outputs.push_back(task.output);
  return Json::array(outputs);
}

}  // namespace weir

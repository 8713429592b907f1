#include "run/step_table.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/assert.hpp"
#include "run/conditions.hpp"

namespace weir {

StepTable::StepTable(const FlowDefinition& definition, Json input, Time available_at)
    : definition_(&definition),
      input_(std::move(input)),
      steps_(definition.steps().size()),
      open_(steps_.size()) {
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    steps_[i].dependencies_open = defined(i).depends_on.size();
    if (steps_[i].dependencies_open > 0) continue;
    steps_[i].begins_at = available_at;
    decide(i);
  }
  propagate();
}

void StepTable::note_attempt_end(std::size_t step, Time ended_at) {
  WEIR_ASSERT(steps_[step].phase == Phase::begun);
  steps_[step].ends_at = std::max(steps_[step].ends_at, ended_at);
}

void StepTable::complete(TaskId id, Json output) {
  Step& step = steps_[id.step];
  WEIR_ASSERT(step.phase == Phase::begun && id.index < step.tasks.size());
  WEIR_ASSERT(step.tasks_open > 0 && !step.tasks[id.index].completed);
  step.tasks[id.index].completed = true;
  step.outputs[id.index] = std::move(output);
  if (--step.tasks_open > 0) return;
  end_step(id.step, Phase::completed);
  propagate();
}

void StepTable::skip(std::size_t position, SkipReason reason, Time at, bool cascades) {
  Step& step = steps_[position];
  WEIR_ASSERT(step.phase < Phase::completed);
  step.reason = reason;
  step.ends_at = std::max(step.begins_at, at);
  end_step(position, Phase::skipped);
  skips_.push_back(position);
  if (cascades) cascade(position, step.ends_at);
  propagate();
}

// Skips all that depends on the step, parents before children. None of them can have begun.
void StepTable::cascade(std::size_t origin, Time at) {
  std::set<std::size_t> reached(defined(origin).dependents.begin(),
                                defined(origin).dependents.end());
  for (auto next = reached.begin(); next != reached.end(); ++next) {
    Step& step = steps_[*next];
    if (step.phase == Phase::skipped) continue;  // and so are its dependents
    WEIR_ASSERT(step.phase == Phase::pending);
    step.reason = SkipReason::dependency_skipped;
    step.ends_at = at;
    end_step(*next, Phase::skipped);
    skips_.push_back(*next);
    reached.insert(defined(*next).dependents.begin(), defined(*next).dependents.end());
  }
}

void StepTable::end_step(std::size_t position, Phase phase) {
  WEIR_ASSERT(steps_[position].phase < Phase::completed && phase >= Phase::completed && open_ > 0);
  steps_[position].phase = phase;
  --open_;
  waits_.erase(position);
  unmet_.erase(position);
  ends_.push_back(
      {.step = position,
       .kind = phase == Phase::completed ? StepEnd::Kind::completed : StepEnd::Kind::skipped});
  ended_.push_back(position);
}

// Ends the steps that end by themselves, and so on down the graph: with a work list, not by
// recursion (P5). Times are the latest of what went before, so that the order in which facts arrive
// has no influence.
void StepTable::propagate() {
  for (std::size_t i = 0; i < ended_.size(); ++i) {
    const Step& done = steps_[ended_[i]];
    for (const std::size_t dependent : defined(ended_[i]).dependents) {
      Step& next = steps_[dependent];
      next.begins_at = std::max({next.begins_at, done.begins_at, done.ends_at});
      WEIR_ASSERT(next.dependencies_open > 0);  // each step ends once
      if (--next.dependencies_open == 0 && next.phase == Phase::pending) decide(dependent);
    }
  }
  ended_.clear();
}

void StepTable::decide(std::size_t position) {
  const StepConditions& conditions = defined(position).conditions;
  if ((conditions.only_if || conditions.unless) &&
      weir::unmet(conditions, given_to(position)).has_value())
    unmet_.insert(position);
  else
    begin(position);
}

void StepTable::begin(std::size_t position) {
  Step& step = steps_[position];
  WEIR_ASSERT(step.phase == Phase::pending && step.dependencies_open == 0);
  step.phase = Phase::begun;
  count_tasks(position);
  if (step.tasks.empty())
    end_step(position, Phase::completed);
  else if (defined(position).kind == StepKind::wait)
    waits_.insert(position);
  else
    begun_.push_back(position);
}

// P3: determines the number of a step's tasks. A map's dependency has ended, and what it returned
// is an array (P6) if it is not a map itself.
void StepTable::count_tasks(std::size_t position) {
  const StepDefinition& definition = defined(position);
  Step& step = steps_[position];
  std::size_t count = 1;
  if (definition.kind == StepKind::map) {
    if (definition.depends_on.empty()) {
      step.elements = input_.elements();
      count = step.elements.size();
    } else {
      WEIR_ASSERT(definition.depends_on.size() == 1);
      const Step& parent = steps_[definition.depends_on.front()];
      WEIR_ASSERT(parent.phase >= Phase::completed);
      if (parent.phase == Phase::skipped) {
        count = 0;
      } else if (defined(definition.depends_on.front()).kind == StepKind::map) {
        count = parent.tasks.size();
      } else {
        WEIR_ASSERT(parent.outputs.size() == 1);
        WEIR_ASSERT(parent.outputs.front().type() == JsonType::array);
        step.elements = parent.outputs.front().elements();
        count = step.elements.size();
      }
    }
  }
  step.tasks.resize(count);
  step.outputs.resize(count);
  step.tasks_open = count;
}

std::vector<std::size_t> StepTable::take_begun() { return std::exchange(begun_, {}); }

std::string StepTable::unmet_reason(std::size_t step) const {
  WEIR_DEBUG_ASSERT(unmet_.contains(step));
  return fmt::format(
      "{} {}",
      defined(step).depends_on.empty() ? "the run's input" : "what its dependencies returned",
      weir::unmet(defined(step).conditions, given_to(step)).value_or("changed"));
}

std::vector<JournalRow> StepTable::take_skips() {
  std::vector<JournalRow> rows;
  for (const std::size_t position : std::exchange(skips_, {})) {
    Step& step = steps_[position];
    WEIR_ASSERT(step.phase == Phase::skipped);
    if (std::exchange(step.skip_journaled, true)) continue;
    rows.push_back({.task = {position, 0},
                    .attempt = 0,
                    .outcome = Outcome::skipped,
                    .error_code = std::string(name(step.reason)),
                    .started_at = step.ends_at,
                    .ended_at = step.ends_at});
  }
  return rows;
}

std::vector<StepEnd> StepTable::take_ends() { return std::exchange(ends_, {}); }

Json StepTable::input_of(TaskId task) const {
  const StepDefinition& step = defined(task.step);
  if (step.kind == StepKind::map) {
    const Step& state = steps_[task.step];
    return state.elements.empty() ? steps_[step.depends_on.front()].outputs.at(task.index)
                                  : state.elements.at(task.index);
  }
  if (step.kind == StepKind::flow && !step.depends_on.empty()) {
    const std::size_t dependency = step.depends_on.front();
    return is_completed(dependency) ? output_of(dependency) : Json();
  }
  return given_to(task.step);
}

RunEnd StepTable::end() const {
  WEIR_ASSERT(all_ended());
  std::vector<std::pair<std::string, Json>> outputs;
  std::string skipped;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (!defined(i).dependents.empty()) continue;
    if (is_completed(i))
      outputs.emplace_back(defined(i).slug.string(), output_of(i));
    else
      skipped += fmt::format("{}\"{}\" ({})", skipped.empty() ? "" : ", ", defined(i).slug.view(),
                             name(steps_[i].reason));
  }
  if (!outputs.empty()) return {.output = Json::object(outputs)};
  return {.note = fmt::format("no output: every final step was skipped: {}", skipped)};
}

// F7, P2: the run's input for a root, the object of completed dependencies for any other step.
Json StepTable::given_to(std::size_t step) const {
  if (defined(step).depends_on.empty()) return input_;
  std::vector<std::pair<std::string, Json>> members;
  for (const std::size_t dependency : defined(step).depends_on)
    if (is_completed(dependency))
      members.emplace_back(defined(dependency).slug.string(), output_of(dependency));
  return Json::object(members);
}

// A map's outputs are joined once (P4); from then on they are parts of the array.
Json StepTable::output_of(std::size_t position) const {
  const Step& step = steps_[position];
  WEIR_ASSERT(step.phase == Phase::completed);
  if (defined(position).kind != StepKind::map) return step.outputs.front();
  if (!step.output) {
    step.output = Json::array(step.outputs);
    step.outputs = step.output->elements();
  }
  return *step.output;
}

}  // namespace weir

#include "unit/run/journal_oracle.hpp"

#include <algorithm>
#include <utility>

#include "run/conditions.hpp"

namespace weir {

JournalOracle::JournalOracle(const FlowDefinition& definition, std::vector<StepOptions> options,
                             Json input)
    : definition_(definition), options_(std::move(options)), input_(std::move(input)) {
  decide();
}

void JournalOracle::add(const JournalRow& row) {
  if (row.outcome == Outcome::skipped) {
    skips_.emplace(row.task.step, row.error_code);
    return;
  }
  if (skips_.contains(row.task.step)) return;
  Facts& facts = facts_[row.task];
  facts.attempts = row.attempt;
  facts.last = row.outcome;
  facts.ended_at = row.ended_at;
  facts.violates_type = row.error_code == "type_violation";
  switch (row.outcome) {
    case Outcome::completed:
      facts.output = row.output;
      break;
    case Outcome::failed:
    case Outcome::timed_out:
    case Outcome::failed_for_good:
      ++facts.charged;
      break;
    case Outcome::lost:
      ++facts.lost;
      break;
    case Outcome::retried:
      facts.charged = facts.lost = 0;
      break;
    default:
      break;
  }
}

void JournalOracle::set_options(std::vector<StepOptions> options) {
  options_ = std::move(options);
  decide();
}

void JournalOracle::cancel() {
  decide();
  if (!status()) cancelled_ = true;
}

std::vector<JournalRow> JournalOracle::retry(Time now) {
  cancelled_ = false;
  std::vector<JournalRow> rows;
  for (const auto& [task, facts] : facts_) {
    const bool failed = facts.last == Outcome::failed || facts.last == Outcome::failed_for_good ||
                        facts.last == Outcome::timed_out || facts.last == Outcome::lost;
    if (!failed || skips_.contains(task.step)) continue;
    rows.push_back({.task = task,
                    .attempt = facts.attempts + 1,
                    .outcome = Outcome::retried,
                    .started_at = now,
                    .ended_at = now});
  }
  return rows;
}

// In waves: steps whose conditions became decidable together are looked at together.
void JournalOracle::decide() {
  for (work_out(); !status(); work_out()) {
    bool found = false;
    for (std::size_t i = 0; i < phases_.size(); ++i) {
      if (phases_[i] != Phase::unmet) continue;
      skip(i, "condition_unmet", step(i).conditions.when_unmet);
      found = true;
    }
    if (found) continue;
    std::optional<std::pair<Time, TaskId>> first;
    for (const auto& [task, facts] : facts_)
      if (is_given_up(task, facts) && !is_skipped(task.step) &&
          (!first || std::pair(facts.ended_at, task) < *first))
        first = std::pair(facts.ended_at, task);
    if (!first) return;
    const std::size_t exhausted = first->second.step;
    skip(exhausted, "handler_failed", step(exhausted).conditions.when_exhausted);
  }
}

void JournalOracle::skip(std::size_t position, std::string reason, Fallback fallback) {
  skips_.emplace(position, std::move(reason));
  if (fallback != Fallback::skip_cascade) return;
  std::set<std::size_t> reached = {position};
  for (std::size_t i = position + 1; i < phases_.size(); ++i) {
    const bool follows = std::ranges::any_of(
        step(i).depends_on, [&](std::size_t each) { return reached.contains(each); });
    if (!follows) continue;
    reached.insert(i);
    skips_.emplace(i, "dependency_skipped");
  }
}

// From the first step to the last: dependencies come before what depends on them.
void JournalOracle::work_out() {
  phases_.assign(definition_.steps().size(), Phase::pending);
  counts_.assign(phases_.size(), 0);
  for (std::size_t i = 0; i < phases_.size(); ++i) {
    if (skips_.contains(i)) {
      phases_[i] = Phase::skipped;
      continue;
    }
    if (!std::ranges::all_of(step(i).depends_on, [&](std::size_t each) { return has_ended(each); }))
      continue;
    if (!is_met(i)) {
      phases_[i] = Phase::unmet;
      continue;
    }
    counts_[i] = count(i);
    std::size_t completed = 0;
    for (auto each = facts_.lower_bound({i, 0}); each != facts_.end() && each->first.step == i;
         ++each)
      if (each->second.output) ++completed;
    phases_[i] = completed == counts_[i] ? Phase::completed : Phase::begun;
  }
}

std::size_t JournalOracle::count(std::size_t position) const {
  if (step(position).kind != StepKind::map) return 1;
  if (step(position).depends_on.empty()) return input_.elements().size();
  const std::size_t parent = step(position).depends_on.front();
  if (is_skipped(parent)) return 0;
  return step(parent).kind == StepKind::map ? counts_[parent] : output_of(parent).elements().size();
}

bool JournalOracle::is_met(std::size_t position) {
  if (!step(position).conditions.only_if && !step(position).conditions.unless) return true;
  const auto known = met_.find(position);
  if (known != met_.end()) return known->second;
  return met_[position] = !unmet(step(position).conditions, given_to(position));
}

int JournalOracle::attempts(TaskId task) const {
  const auto found = facts_.find(task);
  return found == facts_.end() ? 0 : found->second.attempts;
}

bool JournalOracle::is_given_up(TaskId task, const Facts& facts) const {
  switch (facts.last) {
    case Outcome::failed:
    case Outcome::timed_out:
      return facts.charged >= options_[task.step].max_attempts;
    case Outcome::failed_for_good:
      return true;
    case Outcome::lost:
      return facts.lost > RunState::losses_max;
    default:
      return false;
  }
}

bool JournalOracle::fails_run(TaskId task, const Facts& facts) const {
  return !skips_.contains(task.step) && is_given_up(task, facts) &&
         (facts.violates_type || step(task.step).conditions.when_exhausted == Fallback::fail);
}

bool JournalOracle::may_fail_with(std::size_t position) const {
  if (phases_[position] == Phase::unmet)
    return step(position).conditions.when_unmet == Fallback::fail;
  return std::ranges::any_of(facts_, [&](const auto& each) {
    return each.first.step == position && fails_run(each.first, each.second);
  });
}

std::optional<RunStatus> JournalOracle::status() const {
  if (cancelled_) return RunStatus::cancelled;
  for (std::size_t i = 0; i < phases_.size(); ++i)
    if (phases_[i] == Phase::unmet && step(i).conditions.when_unmet == Fallback::fail)
      return RunStatus::failed;
  for (const auto& [task, facts] : facts_)
    if (fails_run(task, facts)) return RunStatus::failed;
  for (std::size_t i = 0; i < phases_.size(); ++i)
    if (!has_ended(i)) return std::nullopt;
  return RunStatus::completed;
}

std::set<std::pair<TaskId, int>> JournalOracle::ready() const {
  std::set<std::pair<TaskId, int>> tasks;
  for (std::size_t i = 0; i < phases_.size(); ++i) {
    if (phases_[i] != Phase::begun || step(i).kind == StepKind::wait) continue;
    for (std::size_t index = 0; index < counts_[i]; ++index) {
      const auto found = facts_.find({i, index});
      if (found == facts_.end())
        tasks.insert({{i, index}, 1});
      else if (!found->second.output && !is_given_up(found->first, found->second))
        tasks.insert({{i, index}, found->second.attempts + 1});
    }
  }
  return tasks;
}

std::set<std::size_t> JournalOracle::waits() const {
  std::set<std::size_t> open;
  for (std::size_t i = 0; i < phases_.size(); ++i)
    if (phases_[i] == Phase::begun && step(i).kind == StepKind::wait) open.insert(i);
  return open;
}

Json JournalOracle::input_of(TaskId task) const {
  const StepDefinition& definition = step(task.step);
  if (definition.kind == StepKind::map)
    return definition.depends_on.empty()
               ? input_.elements()[task.index]
               : output_of(definition.depends_on.front()).elements()[task.index];
  if (definition.kind == StepKind::flow && !definition.depends_on.empty())
    return is_skipped(definition.depends_on.front()) ? Json()
                                                     : output_of(definition.depends_on.front());
  return given_to(task.step);
}

Json JournalOracle::given_to(std::size_t position) const {
  if (step(position).depends_on.empty()) return input_;
  std::vector<std::pair<std::string, Json>> members;
  for (const std::size_t each : step(position).depends_on)
    if (!is_skipped(each)) members.emplace_back(step(each).slug.string(), output_of(each));
  return Json::object(members);
}

Json JournalOracle::output_of(std::size_t position) const {
  if (step(position).kind != StepKind::map) return *facts_.at({position, 0}).output;
  std::vector<Json> all;
  for (std::size_t i = 0; i < counts_[position]; ++i)
    all.push_back(*facts_.at({position, i}).output);
  return Json::array(all);
}

Json JournalOracle::output() const {
  std::vector<std::pair<std::string, Json>> leaves;
  for (std::size_t i = 0; i < phases_.size(); ++i)
    if (step(i).dependents.empty() && !is_skipped(i))
      leaves.emplace_back(step(i).slug.string(), output_of(i));
  return leaves.empty() ? Json() : Json::object(leaves);
}

}  // namespace weir

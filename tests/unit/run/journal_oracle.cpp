#include "unit/run/journal_oracle.hpp"

#include <algorithm>
#include <ranges>

namespace weir {

void JournalOracle::add(const JournalRow& row) {
  attempts_[row.task] = row.attempt;
  if (row.outcome == Outcome::completed) outputs_[row.task] = *row.output;
}

int JournalOracle::attempts(TaskId task) const {
  const auto found = attempts_.find(task);
  return found == attempts_.end() ? 0 : found->second;
}

std::optional<std::size_t> JournalOracle::task_count(std::size_t position) const {
  if (!may_begin(position)) return std::nullopt;
  if (step(position).kind == StepKind::single) return 1;
  if (step(position).depends_on.empty()) return input_.elements().size();
  const std::size_t parent = step(position).depends_on.front();
  return step(parent).kind == StepKind::map ? task_count(parent)
                                            : output_of(parent).elements().size();
}

bool JournalOracle::is_completed(std::size_t position) const {
  const auto count = task_count(position);
  return count && std::ranges::all_of(std::views::iota(std::size_t{0}, *count), [&](std::size_t i) {
           return outputs_.contains({position, i});
         });
}

bool JournalOracle::may_begin(std::size_t position) const {
  return std::ranges::all_of(step(position).depends_on,
                             [&](std::size_t each) { return is_completed(each); });
}

Json JournalOracle::input_of(TaskId task) const {
  if (step(task.step).kind == StepKind::map)
    return step(task.step).depends_on.empty()
               ? input_.elements()[task.index]
               : output_of(step(task.step).depends_on.front()).elements()[task.index];
  if (step(task.step).depends_on.empty()) return input_;
  std::vector<std::pair<std::string, Json>> members;
  for (const std::size_t each : step(task.step).depends_on)
    members.emplace_back(step(each).slug.string(), output_of(each));
  return Json::object(members);
}

Json JournalOracle::output_of(std::size_t position) const {
  if (step(position).kind == StepKind::single) return outputs_.at({position, 0});
  std::vector<Json> all;
  for (std::size_t i = 0; i < task_count(position).value(); ++i)
    all.push_back(outputs_.at({position, i}));
  return Json::array(all);
}

std::optional<Json> JournalOracle::output() const {
  std::vector<std::pair<std::string, Json>> leaves;
  for (std::size_t i = 0; i < definition_.steps().size(); ++i) {
    if (!is_completed(i)) return std::nullopt;
    if (step(i).dependents.empty()) leaves.emplace_back(step(i).slug.string(), output_of(i));
  }
  return Json::object(leaves);
}

}  // namespace weir

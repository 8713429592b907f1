#pragma once
#include <map>
#include <optional>

#include "run/journal_row.hpp"
#include "unit/run/driven_run.hpp"

namespace weir {

// What the rules say of a journal, answered each time from the rows alone: slow, without a state
// that could go wrong. RunState is compared with it.
class JournalOracle {
 public:
  JournalOracle(const FlowDefinition& definition, Json input)
      : definition_(definition), input_(std::move(input)) {}

  void add(const JournalRow& row);

  int attempts(TaskId task) const;                                // ended ones
  std::optional<std::size_t> task_count(std::size_t step) const;  // P3; unknown: nullopt
  bool is_completed(std::size_t step) const;                      // P5
  bool may_begin(std::size_t step) const;                         // P1
  Json input_of(TaskId task) const;                               // P2
  Json output_of(std::size_t step) const;                         // P4
  std::optional<Json> output() const;  // P7; nullopt while steps are left

 private:
  const StepDefinition& step(std::size_t position) const { return definition_.steps()[position]; }

  const FlowDefinition& definition_;
  Json input_;
  std::map<TaskId, int> attempts_;
  std::map<TaskId, Json> outputs_;  // of completed tasks
};

}  // namespace weir

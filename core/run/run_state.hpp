#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/time.hpp"
#include "definition/flow_definition.hpp"
#include "run/journal_row.hpp"
#include "run/progress.hpp"
#include "run/step_table.hpp"

namespace weir {

/// What a wait step gives to its dependents: `{"signalled": true, "payload": …}`, or
/// `{"signalled": false}` when nothing came in time.
Json wait_output(const std::optional<Json>& payload);

/// What a handler gave back, or what became of it, before the rules are laid over it.
struct AttemptResult {
  Outcome outcome = Outcome::completed;
  std::optional<Json> output{};
  std::string error_code{};
  std::string error{};
  std::optional<std::chrono::milliseconds> retry_after{};
};

/// What comes next in a run: a pure fold of the definition, the input and the journal. No I/O, no
/// clock, no threads; the same rows always give the same state, folded in the order they were
/// committed or in that of their keys (step, index, attempt). Nothing else in Weir decides what a
/// run does next.
///
/// Life: construct; apply() every journaled row; journal take_skips(), take_ready() whatever became
/// ready, look after waits(); when end() has a value after the last row, the run is over. The
/// definition must outlive the state.  [one thread at a time]
///
/// What rows leave open (that a step is skipped or fails the run because its conditions are unmet
/// or its attempts exhausted) is decided when one asks, const or not, and not while rows are
/// folded: a row that comes later may have decided it already, under other options. So a skip that
/// was journaled stands, and a task that had a further attempt had it.
///
/// Cost: a row costs as much as what follows from it, whatever the size of the run; asking costs as
/// much as the answer.
class RunState {
 public:
  static constexpr int losses_max =
      3;  ///< max_lost: the next loss of the same task fails the run (F1)

  /// `options` holds one entry a step: the definition's, with the operator's overrides laid over
  /// them. `available_at` is when the run could first begin; start delays of roots count from it.
  RunState(const FlowDefinition& definition, std::vector<StepOptions> options, std::int64_t run,
           Json input, Time available_at);

  /// Lays P6 over a result: a step that feeds a map must return an array. Returns the row as it is
  /// to be journaled, its times still unset.
  JournalRow judge(TaskId task, int attempt, AttemptResult result) const;

  /// Folds one row. Errors: corrupt, when no such task or attempt can have been (the state is then
  /// as before). Rows are facts: also those of a run that failed are taken in, and one that came
  /// after a task's last attempt shows that more were allowed then.
  Result<void> apply(const JournalRow& row);

  /// Tasks that became ready since the last call: first attempts and retries, in the order they
  /// were freed. None while end() has a value (F6). Of single and map steps, and of flow steps,
  /// whose task is a child run; never of waits.
  std::vector<ReadyTask> take_ready();

  /// Waits that have begun and not ended, by step. Each ends with one row, attempt 1, completed,
  /// that holds wait_output(). None while end() has a value.
  std::vector<OpenWait> waits() const;

  /// Steps found to be skipped since the last call, as the rows to journal, dated: facts by then,
  /// that need not be applied. Rows that were folded are not among them. To be journaled before
  /// anything that builds on them starts, also those of a run that ended.
  std::vector<JournalRow> take_skips();

  /// Steps that ended since the last call, parents before children (E1); those that were skipped
  /// with an ancestor do not wait for their other parents.
  std::vector<StepEnd> take_step_ends();

  /// Whether it still matters how this task ends: false once its step was skipped, or the run
  /// ended.
  bool wanted(TaskId task) const;

  /// Ends the run as cancelled (C1), unless it has ended.
  void cancel(std::string reason);

  /// The task's input (P2), as long as everything it builds on is completed.
  Json input_of(TaskId task) const;

  /// Of several failures the earliest.
  const std::optional<RunEnd>& end() const;
  const StepOptions& options(std::size_t step) const { return options_.at(step); }
  const FlowDefinition& definition() const noexcept { return *definition_; }
  const Json& input() const noexcept { return steps_.input(); }

 private:
  struct Failure {
    Time at{};
    std::string error;
  };
  using Failures = std::set<std::pair<Time, TaskId>>;  // earliest first

  Result<void> check(const JournalRow& row) const;
  std::string_view fault_of_skip(const JournalRow& row) const;
  std::string_view fault_of_attempt(const JournalRow& row) const;
  void take_skip(const JournalRow& row);
  void free_again(const JournalRow& row, Duration wait);
  void retry_or_give_up(const JournalRow& row);
  void give_up(const JournalRow& row, std::string error);
  void forget_failure(TaskId task) const;
  void settle() const;
  void fail_unmet() const;
  void skip(std::size_t step, SkipReason reason, Time at, Fallback fallback) const;
  void free_begun() const;
  void find_end() const;
  std::string described(TaskId task) const;
  std::optional<std::size_t> map_broken_by(std::size_t step, const Json& output) const;

  const FlowDefinition* definition_;
  std::vector<StepOptions> options_;
  std::int64_t run_;
  std::optional<std::string> cancelled_;

  // What follows from the rows is settled when it is asked for: the answers are those of the rows,
  // whenever one asks.
  mutable StepTable steps_;
  mutable std::vector<ReadyTask> ready_;
  mutable std::map<TaskId, Failure> given_up_;
  mutable Failures failures_;                         ///< of those given up: that fail the run
  mutable Failures exhausted_;                        ///< and that make their step be skipped
  mutable std::map<std::size_t, bool> failed_steps_;  ///< and whether that was told
  mutable std::optional<RunEnd> end_;
  mutable bool settled_ = false;
};

}  // namespace weir

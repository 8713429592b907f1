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

/// The output of a wait step: `{"signalled": true, "payload": …}`, or `{"signalled": false}` when
/// no signal arrived in time.
Json wait_output(const std::optional<Json>& payload);

/// The result of a handler, or how its attempt ended otherwise, before the rules are applied to it.
struct AttemptResult {
  Outcome outcome = Outcome::completed;
  std::optional<Json> output{};
  std::string error_code{};
  std::string error{};
  std::optional<std::chrono::milliseconds> retry_after{};
};

/// Decides what comes next in a run: a pure fold of the definition, the input and the journal. No
/// I/O, no clock, no threads; the same rows always give the same state, folded in the order they
/// were committed or in that of their keys (step, index, attempt). Nothing else in Weir decides
/// what a run does next.
///
/// Use: construct; apply() every journaled row; journal take_skips(), start what take_ready()
/// returns, watch waits(); when end() has a value after the last row, the run has ended. The
/// definition must outlive the state.  [one thread at a time]
///
/// What rows leave open (that a step is skipped or fails the run because its conditions are unmet
/// or its attempts exhausted) is decided when the state is queried, by const members too, and not
/// while rows are folded: a later row may have decided it already, under other options. So a
/// journaled skip holds, and a further attempt that was journaled was allowed.
///
/// Cost: a row costs as much as its consequences, whatever the size of the run; a query costs as
/// much as its answer.
class RunState {
 public:
  /// After so many losses, the next loss of the same task fails the run (F1).
  static constexpr int losses_max = 3;
  /// `options` has one entry for each step: the definition's, with the operator's overrides
  /// applied. `available_at` is when the run could first begin; start delays of roots count from
  /// it.
  RunState(const FlowDefinition& definition, std::vector<StepOptions> options, std::int64_t run,
           Json input, Time available_at);

  /// Applies P6 to a result: a step that feeds a map must return an array. Returns the row to be
  /// journaled, without its times.
  JournalRow make_row(TaskId task, int attempt, AttemptResult result) const;

  /// Folds one row. Errors: corrupt, when such a task or attempt cannot have existed (the state is
  /// then as before). Rows are facts: those of a run that failed are accepted too, and one that
  /// follows a task's last attempt shows that more were allowed then.
  Result<void> apply(const JournalRow& row);

  /// Tasks that became ready since the last call: first attempts and retries, in the order they
  /// they became ready. None while end() has a value (F6). Of single and map steps, and of flow
  /// steps,
  /// whose task is a child run; never of waits.
  std::vector<ReadyTask> take_ready();

  /// Waits that have begun and not ended, by step. Each ends with one row, attempt 1, completed,
  /// that holds wait_output(). None while end() has a value.
  std::vector<OpenWait> waits() const;

  /// Steps found to be skipped since the last call, as the rows to journal, with their times. The
  /// state contains them: they need not be applied. Skips that were folded are not among them. Must
  /// be journaled before anything that depends on them starts, and also when the run has ended.
  std::vector<JournalRow> take_skips();

  /// Steps that ended since the last call, parents before children (E1); those that were skipped
  /// with an ancestor are reported without waiting for their other parents.
  std::vector<StepEnd> take_step_ends();

  /// Whether the outcome of this task still matters: false once its step was skipped, or the run
  /// ended.
  bool still_needed(TaskId task) const;

  /// Ends the run as cancelled (C1), unless it has ended.
  void cancel(std::string reason);

  /// The input of a task that has become ready (P2).
  Json input_of(TaskId task) const;

  /// How the run ended, nullopt while it is open. Of several failures the earliest.
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
  void apply_skip(const JournalRow& row);
  void requeue(const JournalRow& row, Duration wait);
  void retry_or_fail(const JournalRow& row);
  void fail_task(const JournalRow& row, std::string error);
  void forget_failure(TaskId task) const;
  void settle() const;
  void fail_unmet() const;
  void skip(std::size_t step, SkipReason reason, Time at, Fallback fallback) const;
  void queue_begun() const;
  void find_end() const;
  std::string described(TaskId task) const;
  std::optional<std::size_t> violated_map(std::size_t step, const Json& output) const;

  const FlowDefinition* definition_;
  std::vector<StepOptions> options_;
  std::int64_t run_;
  std::optional<std::string> cancelled_;

  // The consequences of the rows are computed when they are queried; they do not depend on when
  // that is, hence mutable.
  mutable StepTable steps_;
  mutable std::vector<ReadyTask> ready_;
  mutable std::map<TaskId, Failure> failed_tasks_;
  mutable Failures failures_;   ///< of failed_tasks_, those that fail the run
  mutable Failures exhausted_;  ///< of failed_tasks_, those whose step is skipped
  mutable std::map<std::size_t, bool> failed_steps_;  ///< true: take_step_ends() has returned it
  mutable std::optional<RunEnd> end_;
  mutable bool settled_ = false;
};

}  // namespace weir

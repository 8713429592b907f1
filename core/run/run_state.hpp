#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/time.hpp"
#include "definition/flow_definition.hpp"
#include "run/journal_row.hpp"

namespace weir {

/// The numbers stand in the database; 0 there is a run that is still open.
enum class RunStatus : std::int16_t { completed = 1, failed = 2, cancelled = 3 };

/// How a run ended.
struct RunEnd {
  RunStatus status = RunStatus::completed;
  Json output{};        ///< `{leaf: output}` of a completed run (P7)
  std::string error{};  ///< of a failed or cancelled one
  std::string note{};   ///< of a completed one, all of whose leaves were skipped
  std::optional<std::size_t> failed_step{};  ///< position
};

/// A wait step that has begun and not ended: for its signal, until then (D4).
struct OpenWait {
  std::size_t step = 0;
  Time until{};
};

/// A step that ended (E1).
struct StepEnd {
  enum class Kind { completed, failed, skipped };
  std::size_t step = 0;
  Kind kind = Kind::completed;
};

/// What a wait step gives to its dependents: `{"signalled": true, "payload": …}`, or
/// `{"signalled": false}` when nothing came in time.
Json wait_output(const std::optional<Json>& payload);

/// A task that may be started, not before `not_before`.
struct ReadyTask {
  TaskId task;
  int attempt = 1;
  Time not_before{};
};

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
/// Life: construct; apply() every journaled row; take_ready() whatever became ready; when end() has
/// a value after the last row, the run is over. The definition must outlive the state.  [one thread
/// at a time]
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

  /// Steps found to be skipped since the last call, as the rows to journal: facts by then, that
  /// need not be applied. Rows that were folded are not among them.
  std::vector<JournalRow> take_skips();

  /// Steps that ended since the last call, parents before children (E1).
  std::vector<StepEnd> take_step_ends();

  /// Whether it still matters how this task ends: false once its step was skipped, or the run
  /// ended.
  bool wanted(TaskId task) const;

  /// Ends the run as cancelled (C1), unless it has ended.
  void cancel(std::string reason);

  /// The task's input (P2), as long as everything it builds on is completed.
  Json input_of(TaskId task) const;

  /// Of several failures the earliest.
  const std::optional<RunEnd>& end() const noexcept { return end_; }
  const StepOptions& options(std::size_t step) const { return options_.at(step); }
  const FlowDefinition& definition() const noexcept { return *definition_; }
  const Json& input() const noexcept { return input_; }

 private:
  struct Task {
    int attempts = 0;  ///< ended ones
    int charged = 0;   ///< those that count against max_attempts
    int lost = 0;
    bool completed = false;
    Json output;
    std::optional<Time> failed_at;  ///< when it was given up
  };
  struct Step {
    std::size_t dependencies_open = 0;
    bool counted = false;  ///< tasks are known
    std::size_t tasks_open = 0;
    Time begins_at{};  ///< when the last of its dependencies ended
    Time ends_at{};    ///< when the last of its attempts ended
    std::vector<Task> tasks;
    std::vector<Json>
        elements;  ///< of a map whose list is one value; else the elements are the parent's outputs
  };

  Result<void> check(const JournalRow& row) const;
  void settle_steps(std::deque<std::size_t> completed);
  void count_tasks(std::size_t step);
  void release(std::size_t step);
  void retry_or_fail(const JournalRow& row, Task& task);
  void give_up(const JournalRow& row, Task& task, std::string error);
  void find_end();
  std::string described(TaskId task) const;
  bool breaks_map(std::size_t step, const Json& output) const;
  Json output_of(std::size_t step) const;

  const FlowDefinition* definition_;
  std::vector<StepOptions> options_;
  std::int64_t run_;
  Json input_;
  std::vector<Step> steps_;
  std::size_t steps_open_;
  std::vector<ReadyTask> ready_;
  std::optional<std::string> cancelled_;
  std::map<std::pair<Time, TaskId>, std::string> failures_;  ///< of tasks given up; earliest first
  std::optional<RunEnd> end_;
};

}  // namespace weir

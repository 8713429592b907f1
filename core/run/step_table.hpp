#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/assert.hpp"
#include "base/json.hpp"
#include "base/time.hpp"
#include "definition/flow_definition.hpp"
#include "run/progress.hpp"
#include "run/skip_reason.hpp"

namespace weir {

/// The state of a task so far.
struct TaskState {
  std::int16_t attempts = 0;  ///< that have ended
  std::int16_t charged = 0;   ///< those that count against max_attempts
  std::int16_t lost = 0;
  bool completed = false;
};

/// The state of each step of a run, and the outputs of its tasks: the graph's part of RunState (P1
/// to P5). A step waits for its dependencies; once the last of them has ended it begins, or its
/// conditions turn out to be unmet; it ends completed or skipped. The table is given facts, in any
/// order in which they can have happened. Nothing recurses, and each fact costs as much as its
/// consequences.  [one thread at a time]
class StepTable {
 public:
  /// The definition must outlive the table. Roots begin at once.
  StepTable(const FlowDefinition& definition, Json input, Time available_at);

  bool has_begun(std::size_t step) const { return steps_[step].phase >= Phase::begun; }
  bool is_completed(std::size_t step) const { return steps_[step].phase == Phase::completed; }
  bool is_skipped(std::size_t step) const { return steps_[step].phase == Phase::skipped; }
  bool is_skip_journaled(std::size_t step) const { return steps_[step].skip_journaled; }
  bool all_ended() const noexcept { return open_ == 0; }
  Time begins_at(std::size_t step) const { return steps_[step].begins_at; }

  /// Only for a step that has begun.
  std::size_t task_count(std::size_t step) const {
    WEIR_DEBUG_ASSERT(has_begun(step));
    return steps_[step].tasks.size();
  }
  TaskState& task(TaskId id) {
    WEIR_DEBUG_ASSERT(id.index < task_count(id.step));
    return steps_[id.step].tasks[id.index];
  }
  const TaskState& task(TaskId id) const {
    WEIR_DEBUG_ASSERT(id.index < task_count(id.step));
    return steps_[id.step].tasks[id.index];
  }

  /// Notes that an attempt of the step, which has begun and not ended, ended then.
  void note_attempt_end(std::size_t step, Time ended_at);
  /// Completes a task of such a step, once.
  void complete(TaskId task, Json output);

  /// Skips a step that has not ended; with `cascade` all its descendants too.
  void skip(std::size_t step, SkipReason reason, Time at, bool cascade);
  /// Once for a skip.
  void mark_journaled(std::size_t step) {
    WEIR_ASSERT(!steps_[step].skip_journaled);
    steps_[step].skip_journaled = true;
  }

  /// Steps that began since the last call.
  std::vector<std::size_t> take_begun();
  /// Steps whose conditions are unmet and for which nothing is decided yet.
  const std::set<std::size_t>& unmet() const noexcept { return unmet_; }
  /// Why such a step's conditions are unmet, for a message.
  std::string unmet_reason(std::size_t step) const;
  const std::set<std::size_t>& waits() const noexcept { return waits_; }

  std::vector<JournalRow> take_skips();
  std::vector<StepEnd> take_ends();

  Json input_of(TaskId task) const;
  const Json& input() const noexcept { return input_; }
  /// How the run ends when all_ended().
  RunEnd end() const;

 private:
  enum class Phase : std::uint8_t { pending, begun, completed, skipped };
  struct Step {
    Phase phase = Phase::pending;
    SkipReason reason = SkipReason::condition_unmet;
    bool skip_journaled = false;
    std::size_t dependencies_open = 0;
    std::size_t tasks_open = 0;
    Time begins_at{};  ///< when the last of its dependencies ended
    Time ends_at{};    ///< when the last of its attempts ended, or it was skipped
    std::vector<TaskState> tasks;
    std::vector<Json> elements;  ///< of a map over one array; a map over a map uses its outputs
    mutable std::vector<Json> outputs;   ///< by task
    mutable std::optional<Json> output;  ///< of a completed map, once it was asked for
  };

  const StepDefinition& defined(std::size_t step) const { return definition_->steps()[step]; }
  void decide(std::size_t step);
  void begin(std::size_t step);
  void count_tasks(std::size_t step);
  void end_step(std::size_t step, Phase phase);
  void propagate();
  void cascade(std::size_t step, Time at);
  Json given_to(std::size_t step) const;
  Json output_of(std::size_t step) const;

  const FlowDefinition* definition_;
  Json input_;
  std::vector<Step> steps_;
  std::size_t open_;
  std::vector<std::size_t> ended_;  ///< whose dependents have not been updated yet
  std::vector<std::size_t> begun_;
  std::set<std::size_t> unmet_;
  std::set<std::size_t> waits_;
  std::vector<std::size_t> skips_;
  std::vector<StepEnd> ends_;
};

}  // namespace weir

#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "run/run_state.hpp"

namespace weir {

// A run driven by hand, one ended attempt after the other, each dated `now`. Not movable: RunState
// points into it.
class DrivenRun {
 public:
  static constexpr Time begin{std::chrono::hours(500'000)};

  explicit DrivenRun(const FlowDraft& draft, std::string_view input = "null");
  DrivenRun(const DrivenRun&) = delete;
  DrivenRun& operator=(const DrivenRun&) = delete;

  // The next attempt of a task ends, as a worker settles it: turned into a row, dated and folded.
  JournalRow ends(std::string_view step, std::size_t index, AttemptResult result);
  void completes(std::string_view step, std::string_view output, std::size_t index = 0);
  void fails(std::string_view step, std::string_view error, std::size_t index = 0);
  void fails_for_good(std::string_view step, std::string_view error, std::size_t index = 0);
  void is_lost(std::string_view step, std::size_t index = 0);
  void is_cancelled(std::string_view step, std::size_t index = 0);

  // What became ready since the last time, in the order it was queued: "fetch each[0] each[1]#2",
  // with the number of an attempt after the first.
  std::string ready();
  std::vector<ReadyTask> ready_tasks() { return state.take_ready(); }

  std::string input_of(std::string_view step, std::size_t index = 0) const;

  // "completed {…}", "failed: …", "cancelled: …", or "" while it goes on.
  std::string end() const;

  // What was skipped since the last time, and is journaled now: "b:condition_unmet c:…".
  std::string skips();

  // Steps that ended since the last time: "a:completed b:skipped".
  std::string ended();

  // Open waits and the seconds from begin until their time is over: "approval@60".
  std::string waiting() const;

  // The task's failures no longer count, by command, as weir.retry journals it.
  void is_retried(std::string_view step, std::size_t index = 0);

  // The same run continued from its journal, folded as committed and by key: "" if both stand as
  // this one does, else what differs.
  std::string replay_difference() const;

  std::size_t position(std::string_view step) const { return definition.find(step).value(); }

  const FlowDefinition definition;
  RunState state;
  Time now = begin;
  std::vector<JournalRow> journal;  // as committed

 private:
  std::string text_of(const std::vector<ReadyTask>& tasks) const;
  std::string text_of(const std::vector<OpenWait>& waits) const;
  static std::string text_of(const std::optional<RunEnd>& end);

  std::map<TaskId, int> attempts_;
};

std::vector<StepOptions> options_of(const FlowDefinition& definition);
Json json(std::string_view text);

// The same rows in the order in which a store reads them: by step, index and attempt.
std::vector<JournalRow> by_key(std::vector<JournalRow> rows);

}  // namespace weir

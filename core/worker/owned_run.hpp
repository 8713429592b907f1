#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "registry/flow_registry.hpp"
#include "run/run_state.hpp"
#include "store/worker_store.hpp"
#include "worker/ask_pause.hpp"

namespace weir {

/// A run that this worker owns: its RunState, its notifications, and the tasks that can be started.
/// Used only by the worker's loop.
class OwnedRun {
 public:
  /// A run that will sleep longer than this is released (parks); one that waits only for
  /// notifications is released after this time. It is longer by a second for each
  /// `reload_bytes` of the run's journal: whoever claims the run must read all of it.
  static constexpr std::chrono::milliseconds park_after{1'000};
  static constexpr std::size_t reload_bytes = 1024 * 1024;
  /// A run that waits for child runs is looked at again after this time, though nothing is heard of
  /// them: a database that lost commits may have lost one of them.
  static constexpr std::chrono::hours look_again_after{1};

  OwnedRun(const ClaimedRun& claimed, FlowHandle flow, std::vector<StepOptions> options,
           std::optional<PluginId> plugin);

  const RunState& state() const noexcept { return state_; }
  const std::string& id() const noexcept { return id_; }
  VersionId version() const noexcept { return version_; }
  int priority() const noexcept { return priority_; }
  const FlowHandle& flow() const noexcept { return flow_; }
  const std::optional<PluginId>& plugin() const noexcept { return plugin_; }
  const Relations& relations() const noexcept { return relations_; }

  /// Folds a row. Errors: as RunState::apply.
  Result<void> apply(const JournalRow& row);

  /// Takes in its notifications. A cancel ends the run (C1).
  void receive(const RunNotifications& notifications);

  struct Refreshed {
    bool changed = false;  ///< a row was folded or a notification came since the last refresh()
    /// Rows of steps that were found to be skipped: they must be journaled; state() has them.
    std::vector<JournalRow> skips{};
  };
  /// Sorts tasks that became ready into due and sleeping, and makes those due whose time has come.
  Refreshed refresh(Time now);

  /// Steps that ended since the last call, parents before children (E1).
  std::vector<StepEnd> take_step_ends() { return state_.take_step_ends(); }
  const std::vector<OpenWait>& waits() const noexcept { return waits_; }

  /// Waits whose time has passed without a known signal: they must be closed. After refresh().
  std::vector<std::size_t> late_waits(Time now) const;
  /// Notes that the database was asked to close its late waits, and that not all are closed:
  /// somebody is notifying the run. They are not late again for a while, longer each time.
  void note_unclosed_waits(Time now);
  /// Notes that the wait was closed; with a payload, its signal came in time.
  void close_wait(std::size_t step, std::optional<Json> payload);

  /// Rows of waits that are over, by a signal or closed (C4). They must be applied and journaled.
  /// After refresh().
  std::vector<JournalRow> ended_waits(Time now) const;

  /// The next due attempt of a flow step, whose child run must be started (C8). To be called when
  /// everything that it depends on is committed (P1), and has_child_starts(). After refresh().
  ReadyTask take_child_start();
  /// Notes that this child run was not started, and never will be: its attempt has ended.
  void forget_child(const ReadyTask& child);
  /// Notes that the start of this child run must be retried.
  void retry_start(const ReadyTask& child);
  /// Attempts of flow steps whose child runs have ended. After refresh().
  std::vector<std::pair<ReadyTask, ChildRunEnd>> take_child_ends();

  std::size_t due() const noexcept { return due_count_; }
  /// How many are due of the steps of which `which` is true.
  using WhichStep = std::function<bool(std::size_t step)>;
  std::size_t due_of(const WhichStep& which) const;

  /// Takes consecutive elements of one map that are due for the same attempt number; at most
  /// `count_of(step)`, ascending. Empty when there are no two such elements near the end of the due
  /// tasks of a step.
  std::vector<ReadyTask> take_wide(const std::function<std::size_t(std::size_t step)>& count_of);
  /// Makes a task due again that no other worker runs. Before the first refresh() nothing is noted:
  /// refresh() finds it due.
  void make_due(const ReadyTask& task) {
    if (sorted_) add_due(task);
  }

  /// Takes the task that is due for the longest time, of the steps of which `which` is true; nullopt
  /// when there is none.
  std::optional<ReadyTask> take_due(const WhichStep& which);
  ReadyTask take_due() {
    return take_due([](std::size_t) { return true; }).value();
  }

  /// When the next task or child run becomes due or the next wait ends, if nothing else happens;
  /// nullopt: never.
  std::optional<Time> wakes_at() const;

  /// When the run can be claimed again if it is released now; nullopt: immediately.
  std::optional<Time> sleeps_until() const;
  /// Whether it should be released, because it cannot make progress for a while.
  bool parks(Time now) const;
  /// Whether it could start something for park_after, and nothing of it runs: other runs have all
  /// slots.
  bool waits_for_slot(Time now) const;
  /// When to check parks() again while child runs are running; nullopt: there is no need after
  /// `now`.
  std::optional<Time> parks_at(Time now) const;
  /// Whether child runs must be started.
  bool has_child_starts() const noexcept { return !child_starts_.empty(); }
  /// Whether it could never make progress again: a programming error.
  bool is_stuck() const;

  /// Whether the step starts for the first time, as far as this run's rows show (E1).
  bool mark_started(std::size_t step);

  /// Notes that so many of its attempts are no longer in flight.
  void note_ended_attempts(std::size_t count);

  std::size_t in_flight = 0;  ///< attempts stated and not settled
  bool ending = false;        ///< it is over, except for attempts that a handler may settle (C9)
  bool leaving = false;       ///< it ends or is released with the next exchange
  /// Its end as failed, if a row of it was impossible: its state is not used any more.
  std::optional<RunEnd> broken{};
  /// Tasks that other workers run or may take, with their attempt (L7).
  std::map<TaskId, int> shared{};
  /// Of a run on trial (F10), the tasks that could be started: they become due by take_up() only.
  std::optional<std::vector<ReadyTask>> set_aside{};
  bool is_set_aside(TaskId task, int attempt) const;
  /// Makes a task due that is set aside.
  void take_up(TaskId task);

 private:
  void sort(const ReadyTask& ready, Time now);
  bool has_set_aside() const noexcept { return set_aside && !set_aside->empty(); }
  bool follows(const ReadyTask& before, const ReadyTask& after) const;
  void add_due(const ReadyTask& task);
  /// The due tasks of a step, each with its place among those of all steps.
  struct Due {
    std::int64_t place;
    ReadyTask ready;
  };
  using DueTasks = std::map<std::size_t, std::deque<Due>>;
  std::vector<ReadyTask> take_wide(std::deque<Due>& due, std::size_t count);
  DueTasks::iterator drop_if_empty(DueTasks::iterator due) {
    return due->second.empty() ? due_.erase(due) : std::next(due);
  }
  std::chrono::milliseconds parks_after() const;

  std::string id_;
  VersionId version_;
  int priority_;
  FlowHandle flow_;
  std::optional<PluginId> plugin_;
  Relations relations_;
  RunState state_;
  bool changed_ = true;  ///< since refresh(): a row was folded, or a notification came
  bool sorted_ = false;  ///< refresh() was called
  bool has_waits_ = false;
  Time changed_at_{};  ///< when it last changed
  std::size_t journal_bytes_ = 0;
  DueTasks due_;  ///< by step, none empty
  std::size_t due_count_ = 0;
  std::int64_t next_place_ = 0;
  std::deque<ReadyTask> child_starts_;  ///< due attempts of flow steps
  std::vector<ReadyTask>
      children_;  ///< those that take_child_start() returned: their child runs run
  std::multimap<Time, ReadyTask> sleeping_;
  std::vector<OpenWait> waits_;
  std::map<std::size_t, std::optional<Json>> closed_waits_;  ///< the payload, if a signal came
  Time close_waits_at_{};                                    ///< not before
  std::chrono::milliseconds close_waits_pause_ = ask_pause_first;
  std::vector<bool> started_;
  RunNotifications notifications_;
};

}  // namespace weir

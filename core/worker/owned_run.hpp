#pragma once
#include <chrono>
#include <cstddef>
#include <deque>
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

namespace weir {

/// A run this worker owns: its RunState, what others told it, and what it may go on with. Belongs
/// to the worker's loop.
class OwnedRun {
 public:
  /// A run that sleeps longer is given back; one that only others can wake, after this time.
  static constexpr std::chrono::milliseconds park_after{1'000};

  OwnedRun(const ClaimedRun& claimed, FlowHandle flow, std::vector<StepOptions> options,
           std::optional<PluginId> plugin);

  const RunState& state() const noexcept { return state_; }
  const std::string& id() const noexcept { return id_; }
  VersionId version() const noexcept { return version_; }
  int priority() const noexcept { return priority_; }
  const FlowHandle& flow() const noexcept { return flow_; }
  const std::optional<PluginId>& plugin() const noexcept { return plugin_; }

  /// Folds a row. Errors: as RunState::apply.
  Result<void> apply(const JournalRow& row);

  /// Takes in what others told it. A cancel ends it (C1).
  void hear(const RunNews& news);

  struct Refreshed {
    bool changed = false;             ///< a row was folded or something was told since
    std::vector<JournalRow> skips{};  ///< of steps found to be skipped: facts that are to be
                                      ///< journaled, and need not be applied
  };
  /// Sorts what became ready, and what has slept long enough, into due and sleeping.
  Refreshed refresh(Time now);

  /// Steps that ended since the last call, parents before children (E1).
  std::vector<StepEnd> take_step_ends() { return state_.take_step_ends(); }
  const std::vector<OpenWait>& waits() const noexcept { return waits_; }

  /// Waits whose time has passed without a signal that is known of: to be closed. After refresh().
  std::vector<std::size_t> late_waits(Time now) const;
  /// The wait was closed; its signal came first, if there is a payload.
  void close_wait(std::size_t step, std::optional<Json> payload);

  /// Rows of waits that are over: signalled or closed (C4). To be applied and journaled. After
  /// refresh().
  std::vector<JournalRow> ended_waits(Time now) const;

  /// Flow steps' attempts that are due, whose children are to be started (C8): to be called when
  /// everything they build on is committed (P1). After refresh().
  std::vector<ReadyTask> take_births();
  /// Its start is to be tried again.
  void put_back(const ReadyTask& child);
  /// Flow steps' attempts whose children have ended. After refresh().
  std::vector<std::pair<ReadyTask, ChildRunEnd>> take_child_ends();

  std::size_t due() const noexcept { return due_.size(); }

  /// Elements of one map in a row, in which the same attempt is due; at most `count`, ascending.
  /// Empty when there are no two such elements near the end of what is due.
  std::vector<ReadyTask> take_wide(std::size_t count);
  /// Due again: nobody else runs it. Before the first refresh() that will find it so.
  void give_back(const ReadyTask& task) {
    if (sorted_) due_.push_back(task);
  }

  ReadyTask take_due();

  /// When a task, a child or a wait is due by time alone; nullopt: by none.
  std::optional<Time> wakes_at() const;

  /// When it is to be claimed again, were it given back now; nullopt: at once.
  std::optional<Time> sleeps_until() const;
  /// Whether it is to be given back: nothing of it can go on for a while.
  bool parks(Time now) const;
  /// When parks() is to be asked again, because children go on without end; nullopt: not.
  std::optional<Time> parks_at() const;
  /// Whether births are due.
  bool has_births() const noexcept { return !births_.empty(); }
  /// Nothing could ever go on in it: a mistake.
  bool is_stuck() const;

  /// Whether the step is begun for the first time, as far as this run's rows tell (E1).
  bool begins(std::size_t step);

  std::size_t in_flight = 0;       ///< attempts stated and not settled
  bool ending = false;             ///< it is over, but for what a handler may settle (C9)
  bool leaving = false;            ///< ended or given back in the exchange that is being made
  std::map<TaskId, int> shared{};  ///< tasks that others run, or may take, with their attempt (L7)

 private:
  void sort(const ReadyTask& ready, Time now);
  bool follows(const ReadyTask& before, const ReadyTask& after) const;

  std::string id_;
  VersionId version_;
  int priority_;
  FlowHandle flow_;
  std::optional<PluginId> plugin_;
  RunState state_;
  bool changed_ = true;  ///< since refresh(): a row was folded, or something was told
  bool sorted_ = false;  ///< refresh() was called
  bool has_waits_ = false;
  Time moved_at_{};  ///< when it last changed
  std::deque<ReadyTask> due_;
  std::deque<ReadyTask> births_;     ///< due flow steps' attempts
  std::vector<ReadyTask> children_;  ///< taken: their children run
  std::multimap<Time, ReadyTask> sleeping_;
  std::vector<OpenWait> waits_;
  std::map<std::size_t, std::optional<Json>> closed_waits_;  ///< what came of them
  std::vector<bool> begun_;
  RunNews news_;
};

}  // namespace weir

#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "worker/owned_run.hpp"

namespace weir {

/// The runs that a worker owns. Used only by the worker's loop.
class RunBook {
 public:
  OwnedRun& add(const ClaimedRun& claim, const FlowHandle& flow,
                const std::vector<StepOptions>& options, std::optional<PluginId> plugin);

  OwnedRun& at(RunKey key) { return runs_.at(key); }
  /// Null when the run is not owned.
  OwnedRun* find(RunKey key);
  std::size_t size() const noexcept { return runs_.size(); }
  bool empty() const noexcept { return runs_.empty(); }
  auto begin() noexcept { return runs_.begin(); }
  auto end() noexcept { return runs_.end(); }
  auto begin() const noexcept { return runs_.begin(); }
  auto end() const noexcept { return runs_.end(); }

  /// Removes the runs that are leaving and have left: those that the database has taken.
  void remove_leaving(const std::function<bool(RunKey)>& has_left);
  /// Removes a run that has left.
  void remove(RunKey key);
  void clear();

  /// The number of due tasks of all runs that are not leaving.
  std::size_t due() const;
  /// Of these, the ones of steps of which `which` is true.
  using WhichStep = std::function<bool(const OwnedRun&, std::size_t step)>;
  std::size_t due_of(const WhichStep& which) const;

  /// The earliest time at which a run that is not leaving has something to do, if nothing else
  /// happens than what was done by `now`.
  std::optional<Time> wakes_at(Time now) const;

  /// Which due tasks may be taken, and of which flow first.
  struct Choice {
    std::function<bool(const OwnedRun&)> is_held;  ///< nothing of the run is taken
    WhichStep may_begin = [](const OwnedRun&, std::size_t) { return true; };
    /// What the flow has of the worker. It may grow with each task that is taken.
    using Load = std::pair<std::size_t, std::size_t>;
    std::function<Load(std::string_view flow)> load = [](std::string_view) { return Load(); };
  };

  /// Calls `take` with at most `count` due tasks: by priority, and within a priority of the flow with
  /// the least load, and of its runs of the one with the fewest attempts in flight.
  void take_due(std::size_t count, const Choice& choice,
                const std::function<void(RunKey, OwnedRun&, const ReadyTask&)>& take);

  /// Calls `give` with runs that wait for a slot, those whose tasks would be taken last first, until
  /// they have `count` due tasks.
  void give_back(std::size_t count, Time now, const std::function<void(RunKey, OwnedRun&)>& give);

 private:
  struct Candidate;
  static std::size_t take_due(std::map<std::string_view, std::vector<Candidate>> flows,
                              std::size_t count, const Choice& choice,
                              const std::function<void(RunKey, OwnedRun&, const ReadyTask&)>& take);

  std::map<RunKey, OwnedRun> runs_;
  std::map<std::pair<int, RunKey>, OwnedRun*> by_priority_;  ///< highest first, then oldest
};

}  // namespace weir

#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "worker/owned_run.hpp"

namespace weir {

/// The runs a worker owns. Belongs to the worker's loop.
class RunBook {
 public:
  OwnedRun& add(const ClaimedRun& claim, FlowHandle flow, std::vector<StepOptions> options,
                std::optional<PluginId> plugin);

  OwnedRun& at(RunKey key) { return runs_.at(key); }
  /// Null when it is not owned.
  OwnedRun* find(RunKey key);
  std::size_t size() const noexcept { return runs_.size(); }
  bool empty() const noexcept { return runs_.empty(); }
  auto begin() noexcept { return runs_.begin(); }
  auto end() noexcept { return runs_.end(); }

  /// Lets go of all that were leaving.
  void part();
  void clear();

  /// Due tasks of all.
  std::size_t due() const;

  /// The earliest moment at which one of them may have something to do by time alone.
  std::optional<Time> wakes_at() const;

  /// Hands out at most `count` due tasks: by priority, within one priority a task of each run in
  /// turn; none of runs that `is_held` says may not go on.
  void take_due(std::size_t count, const std::function<bool(const OwnedRun&)>& is_held,
                const std::function<void(RunKey, OwnedRun&, const ReadyTask&)>& take);

 private:
  std::map<RunKey, OwnedRun> runs_;
  std::map<std::pair<int, RunKey>, OwnedRun*> by_priority_;  ///< highest first, then oldest
};

}  // namespace weir

#pragma once
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "registry/flow_registry.hpp"
#include "run/run_state.hpp"
#include "store/worker_store.hpp"

namespace weir {

/// A run this worker owns, with the tasks it may start. Belongs to the worker's loop.
class OwnedRun {
 public:
  OwnedRun(const ClaimedRun& claimed, FlowHandle flow, std::vector<StepOptions> options,
           std::optional<PluginId> plugin)
      : id_(claimed.id),
        priority_(claimed.priority),
        flow_(std::move(flow)),
        plugin_(plugin),
        state_(flow_->definition, std::move(options), claimed.run, claimed.input,
               claimed.available_at) {}

  RunState& state() noexcept { return state_; }
  const std::string& id() const noexcept { return id_; }
  int priority() const noexcept { return priority_; }
  const FlowHandle& flow() const noexcept { return flow_; }
  const std::optional<PluginId>& plugin() const noexcept { return plugin_; }

  /// Sorts what RunState freed, and what has slept long enough, into due and sleeping.
  void refresh(Time now) {
    for (const ReadyTask& ready : state_.take_ready())
      if (ready.not_before <= now)
        due_.push_back(ready);
      else
        sleeping_.emplace(ready.not_before, ready);
    for (auto first = sleeping_.begin(); first != sleeping_.end() && first->first <= now;
         first = sleeping_.erase(first))
      due_.push_back(first->second);
  }

  std::size_t due() const noexcept { return due_.size(); }
  ReadyTask take_due() {
    ReadyTask task = due_.front();
    due_.pop_front();
    return task;
  }
  std::optional<Time> wakes_at() const {
    return sleeping_.empty() ? std::nullopt : std::optional(sleeping_.begin()->first);
  }

  std::size_t in_flight = 0;  ///< attempts stated and not settled
  bool leaving = false;       ///< ended or given back in the exchange that is being made

 private:
  std::string id_;
  int priority_;
  FlowHandle flow_;
  std::optional<PluginId> plugin_;
  RunState state_;
  std::deque<ReadyTask> due_;
  std::multimap<Time, ReadyTask> sleeping_;
};

}  // namespace weir

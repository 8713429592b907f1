#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/time.hpp"
#include "definition/step_options.hpp"
#include "registry/flow_registry.hpp"
#include "store/worker_store.hpp"
#include "worker/worker.hpp"

namespace weir {

/// What a worker can run just now: the flows of a registry, newest and former versions, under the
/// numbers they have in the database. Belongs to the worker's loop.
///
/// It holds a flow for as long as the registry does, and until the next refresh().
class ServedFlows {
 public:
  struct Flow {
    FlowHandle module;
    std::vector<StepOptions> options;  ///< by step, the operator's overrides laid over them
    std::optional<PluginId> plugin;
  };

  /// All must outlive it. `now` is its clock, as WorkerLoop's.
  ServedFlows(const WorkerOptions& options, const FlowRegistry& registry, WorkerStore& store,
              Log& log, std::function<Steady()> now = std::chrono::steady_clock::now)
      : options_(options), registry_(registry), store_(store), log_(log), now_(std::move(now)) {}

  /// Reads the registry again: lets go of what left it, and makes what is new known to the
  /// database. False when `until` came before all was. A flow that the database refuses is logged
  /// and left out. Errors: unavailable, in_doubt: part of it may be done, call it again.
  Result<bool> refresh(Steady until);

  /// For a new worker, perhaps of another database: nothing is known any more.
  void forget();

  /// Null when it is not among them.
  const Flow* find(VersionId version) const;

  /// Those whose plugin is not barred at the moment.
  std::map<VersionId, std::optional<PluginId>> claimable(Steady now) const;

  /// Of all, in order, each once.
  std::vector<std::string> slugs() const;

 private:
  Result<void> enter(const FlowHandle& module, bool newest);
  Result<std::optional<PluginId>> plugin_of(const FlowModule& module);
  Result<void> adopt_older(const FlowModule& module, VersionId version);

  const WorkerOptions& options_;
  const FlowRegistry& registry_;
  WorkerStore& store_;
  Log& log_;
  std::function<Steady()> now_;
  std::map<VersionId, Flow> flows_;
  std::vector<FlowHandle> refused_;          ///< by the database; of the registry still
  std::map<std::string, PluginId> plugins_;  ///< by sha256
};

}  // namespace weir

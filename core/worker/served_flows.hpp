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
#include "definition/input_schema.hpp"
#include "definition/step_options.hpp"
#include "registry/flow_registry.hpp"
#include "store/flow_store.hpp"
#include "worker/worker.hpp"

namespace weir {

/// What a worker can run at present: the flows of a registry, newest and former versions, by the
/// ids that they have in the database. Used only by the worker's loop.
///
/// It holds a flow while the registry does, and after that until the next refresh().
class ServedFlows {
 public:
  struct Flow {
    FlowHandle module;
    std::vector<StepOptions> options;  ///< by step, with the operator's overrides applied
    std::optional<PluginId> plugin;
    std::optional<InputSchema> inputs;
    std::optional<std::size_t> first_step;  ///< one with which every run begins at once
    bool newest = true;                     ///< in the registry: it is not there for open runs only
  };

  /// All arguments must outlive it. `now` is its clock, as for WorkerLoop.
  ServedFlows(const WorkerOptions& options, const FlowRegistry& registry, FlowStore& store,
              Log& log, std::function<Steady()> now = std::chrono::steady_clock::now)
      : options_(options), registry_(registry), store_(store), log_(log), now_(std::move(now)) {}

  /// Reads the registry again: releases flows that left it, and registers new ones in the database.
  /// False when `until` has passed before all were registered. A flow that the database refuses is
  /// logged and not served. Errors: unavailable, in_doubt: a part may be done, call it again.
  Result<bool> refresh(Steady until);

  /// For a new worker, perhaps in another database: forgets everything.
  void forget();

  /// Null when the version is not among them.
  const Flow* find(VersionId version) const;

  /// All versions, and whether their plugin is in quarantine at `now`.
  std::map<VersionId, ServedVersion> served(Steady now) const;

  /// The slugs of all, in order, each once.
  std::vector<std::string> slugs() const;

 private:
  Result<void> enter(const FlowHandle& module, bool newest);
  Result<std::optional<PluginId>> plugin_of(const FlowModule& module);
  Result<void> adopt_older(const FlowModule& module, VersionId version);

  const WorkerOptions& options_;
  const FlowRegistry& registry_;
  FlowStore& store_;
  Log& log_;
  std::function<Steady()> now_;
  std::map<VersionId, Flow> flows_;
  std::vector<FlowHandle> refused_;          ///< by the database; the registry still has them
  std::map<std::string, PluginId> plugins_;  ///< by sha256
};

}  // namespace weir

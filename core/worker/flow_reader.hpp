#pragma once
#include <map>
#include <optional>
#include <vector>

#include "base/log.hpp"
#include "base/time.hpp"
#include "store/worker_store.hpp"
#include "worker/flow_workers.hpp"
#include "worker/served_flows.hpp"
#include "worker/worker.hpp"

namespace weir {

/// Keeps what a worker can run in step with the registry and the quarantine, between two exchanges,
/// and makes it known. Belongs to the worker's loop.
class FlowReader {
 public:
  /// All must outlive it.
  FlowReader(const WorkerOptions& options, ServedFlows& flows, FlowWorkers::Place& place,
             WorkerStore& store, Log& log)
      : options_(options), flows_(flows), place_(place), store_(store), log_(log) {}

  /// The registry is to be read.
  void call(Steady now) { flows_at_ = now; }

  /// Reads it if that is due, without losing what it holds; at most for a while at a time, so that
  /// a thousand flows cost no lease. Returns the versions that can be claimed, if it was read.
  std::optional<std::vector<VersionId>> read(WorkerId worker, Steady now);

  /// Whether nothing of the run's plugin may be begun.
  bool is_barred(const FlowHandle& flow, Steady now) const;

  /// When it is to be read again; nullopt: when called.
  std::optional<Steady> due_at() const;

 private:
  Result<bool> reread(WorkerId worker, Steady now, std::vector<VersionId>& claimable);

  const WorkerOptions& options_;
  ServedFlows& flows_;
  FlowWorkers::Place& place_;
  WorkerStore& store_;
  Log& log_;
  std::optional<Steady> flows_at_ = Steady{};  ///< when the registry is to be read
  std::optional<Steady> release_at_;           ///< when a plugin is barred no more
  std::optional<std::map<VersionId, std::optional<PluginId>>> told_;  ///< what serve_versions said
  bool failed_ = false;                                               ///< the last time: told once
};

}  // namespace weir

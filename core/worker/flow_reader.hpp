#pragma once
#include <map>
#include <optional>
#include <vector>

#include "base/log.hpp"
#include "base/retry_log.hpp"
#include "base/time.hpp"
#include "store/flow_store.hpp"
#include "worker/flow_workers.hpp"
#include "worker/served_flows.hpp"
#include "worker/worker.hpp"

namespace weir {

/// Keeps what a worker can run up to date with the registry and the quarantine, between two
/// exchanges, and reports it to the database. Used only by the worker's loop.
class FlowReader {
 public:
  /// All arguments must outlive it.
  FlowReader(const WorkerOptions& options, ServedFlows& flows,
             FlowWorkers::Registration& registration, FlowStore& store, Log& log)
      : options_(options), flows_(flows), registration_(registration), store_(store), log_(log) {}

  /// Requests that the registry is read.
  void request(Steady now) { flows_at_ = now; }

  /// Reads the registry if that is due; flows that it knows stay served meanwhile. Each request reads
  /// only for a limited time, so that the lease is renewed in time even with a thousand flows.
  /// Returns the versions that can be claimed, if it has read.
  std::optional<std::vector<VersionId>> read(WorkerId worker, Steady now);

  /// Whether everything that was requested has been read.
  bool has_read() const noexcept { return !flows_at_; }

  /// Whether no task of the flow's plugin may start.
  bool is_barred(const FlowHandle& flow, Steady now) const;

  /// When the registry must be read again; nullopt: not before request().
  std::optional<Steady> due_at() const;

 private:
  Result<bool> reread(WorkerId worker, Steady now, std::vector<VersionId>& claimable);

  const WorkerOptions& options_;
  ServedFlows& flows_;
  FlowWorkers::Registration& registration_;
  FlowStore& store_;
  Log& log_;
  std::optional<Steady> flows_at_ = Steady{};  ///< when the registry must be read
  std::optional<Steady> release_at_;           ///< when the next plugin leaves quarantine
  /// What was reported last with serve_versions().
  std::optional<std::map<VersionId, ServedVersion>> reported_;
  RetryLog reading_{log_, "cannot register flows", "flows can be registered again"};
};

}  // namespace weir

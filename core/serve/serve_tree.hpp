/// Threads: every member may be called from any thread. Children are started, restarted and stopped
/// on the supervising thread; each has threads of its own.
#pragma once
#include <chrono>
#include <cstddef>
#include <memory>

#include <weir/supervisor.hpp>

#include "base/error.hpp"
#include "base/log.hpp"
#include "plugin/plugin_watcher.hpp"
#include "registry/flow_registry.hpp"
#include "serve/live_workers.hpp"
#include "serve/store_opener.hpp"
#include "serve/version_keeper.hpp"
#include "worker/worker.hpp"

namespace weir {

struct ServeOptions {
  std::size_t workers = 1;
  WorkerOptions worker{};  ///< of each
  /// How long a worker may take after its drain_timeout, for its last requests to the database.
  std::chrono::milliseconds stop_grace{10'000};
  RestartLimit limit{};
  /// What the version keeper maintains; `resources` and `flow_workers` are set from `worker`.
  KeptPlugins kept{};
  KeeperIntervals keeper_intervals{};
  /// Keeps the registry up to date with the plugin folders (plugin_log() is its observer); null:
  /// flows never change.
  std::shared_ptr<PluginWatcher> plugins{};
  /// Opens sessions for the schedule ticker and the retention keeper; null: there are none.
  MaintenanceOpener maintenance{};
  Retention retention{};
};

/// The parts of `weir serve` while it serves: a supervisor with the sweeper, the version keeper,
/// the plugin watcher, the retention keeper, the workers and the schedule ticker as its children;
/// of a process that holds a trial, the plugin watcher and the workers only. A child that ends with an error is logged and started again; when that happens too often, all are
/// stopped, and the tree ends with the last error.
class ServeTree {
 public:
  /// Returns when all children run. `registry` must outlive the tree; if left_behind() is not 0, it
  /// must live until the process ends. That the database is away is no error: it is waited for.
  static Result<std::unique_ptr<ServeTree>> start(ServeOptions options, FlowRegistry& registry,
                                                  const StoreOpener& open,
                                                  const std::shared_ptr<Log>& log);

  /// All workers drain at the same time (L5), then the children stop in reverse order.
  void drain();

  /// As drain(), but what still runs is released immediately; no attempt is charged.
  void stop_now();

  /// Waits for the end: no error after drain() or stop_now(), else the one that it gave up with.
  Result<void> wait() { return supervisor_->wait(); }

  /// How many children did not stop in time. After wait().
  std::size_t stuck() const;

  /// How many threads still run: of stuck children, and of handlers that ignored their stop token.
  /// If there are any, nothing that they use may be destroyed: the process must end immediately.
  /// After wait().
  std::size_t left_behind() const { return stuck() + workers_->handlers_left(); }

 private:
  ServeTree(std::unique_ptr<Supervisor> supervisor, std::shared_ptr<LiveWorkers> workers)
      : supervisor_(std::move(supervisor)), workers_(std::move(workers)) {}

  std::unique_ptr<Supervisor> supervisor_;
  std::shared_ptr<LiveWorkers> workers_;
};

}  // namespace weir

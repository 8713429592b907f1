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
  /// How long a worker may take beyond its drain_timeout, for last words to the database.
  std::chrono::milliseconds farewell{10'000};
  RestartLimit limit{};
  /// What the version keeper looks after; `resources` and `flow_workers` are the workers' own.
  KeptPlugins kept{};
  KeeperPace keeper_pace{};
  /// Keeps the registry as the plugin folders are (plugin_log() is its observer); null: flows stay
  /// as they are.
  std::shared_ptr<PluginWatcher> plugins{};
  /// Sessions for what starts schedules and for what keeps the database tidy; null: nothing does.
  MaintenanceOpener maintenance{};
  Retention retention{};
};

/// What `weir serve` consists of while it serves: a supervisor with the sweeper, the version
/// keeper, the plugin watcher, the retention keeper, the workers and the schedule ticker as its
/// children. One that ends with an error is logged and started again; when that happens too often,
/// all are stopped and the last error is the tree's.
class ServeTree {
 public:
  /// Returns when all run. `registry` must outlive it; if left_behind() is not 0, the process.
  /// Errors: those of the first session to the database.
  static Result<std::unique_ptr<ServeTree>> start(ServeOptions options, FlowRegistry& registry,
                                                  const StoreOpener& open,
                                                  const std::shared_ptr<Log>& log);

  /// All workers drain at once (L5), then the children stop in reverse order.
  void drain();

  /// As drain(), but what still runs is given back at once, uncharged.
  void stop_now();

  /// Waits for the end: nothing after drain() or stop_now(), else the error it gave up with.
  Result<void> wait() { return supervisor_->wait(); }

  /// Children that did not stop in time. After wait().
  std::size_t wedged() const;

  /// Threads that still run, of wedged children and of handlers that ignored their stop token. If
  /// there are any, nothing may be torn down under them: the process must end at once. After
  /// wait().
  std::size_t left_behind() const { return wedged() + workers_->handlers_left(); }

 private:
  ServeTree(std::unique_ptr<Supervisor> supervisor, std::shared_ptr<LiveWorkers> workers)
      : supervisor_(std::move(supervisor)), workers_(std::move(workers)) {}

  std::unique_ptr<Supervisor> supervisor_;
  std::shared_ptr<LiveWorkers> workers_;
};

}  // namespace weir

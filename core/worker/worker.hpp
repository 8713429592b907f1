#pragma once
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "definition/flow_limits.hpp"
#include "definition/step_options.hpp"
#include "registry/flow_registry.hpp"
#include "store/worker_store.hpp"
#include "worker/wish.hpp"

namespace weir {

class FlightRecorder;
class FlowWorkers;
class Quarantine;
class RunEvents;
class StepResources;

struct WorkerOptions {
  std::size_t slots = 8;                    ///< handlers that run at once
  std::chrono::milliseconds lease{15'000};  ///< how long the database believes in us without a word
  std::chrono::milliseconds drain_timeout{
      30'000};         ///< how long running handlers may go on after drain()
  bool sweeps = true;  ///< looks for lapsed workers (L3); false: somebody beside it does
  std::shared_ptr<StepResources> resources =
      {};  ///< of the process; null: its own, for run() alone
  std::shared_ptr<FlowWorkers> flow_workers = {};  ///< where it stands; null: those of the process
  std::shared_ptr<RunEvents> events =
      {};  ///< who is told what happens; null: who asked this process
  std::map<std::string, FlowOverrides>
      overrides{};  ///< by slug: the operator's, over the definition's own
  std::map<std::string, FlowLimits> limits{};  ///< by slug: the operator's; others have none (C6)
  std::set<std::string> adopting{};  ///< slugs whose open runs go on with a new version (V3)
  std::shared_ptr<Quarantine> quarantine = {};  ///< plugins barred from running; null: none is
  std::shared_ptr<FlightRecorder> recorder =
      {};  ///< of the process; null: nobody asks after a crash
};

/// Runs the flows of a registry against a database, until told to drain.
///
/// It owns whole runs: claims them, walks their graphs in memory (RunState), runs handlers in its
/// slots, and says everything to the database in one call, exchange. A dependent starts only after
/// that call committed what it builds on (P1); a handler starts only after it was stated as in
/// flight (F1). When the lease is lost, all that it held is forgotten and it joins again as a new
/// worker (L2). When the database is away it repeats the very same call until it is answered (L6).
///
/// Its flows are those of the registry, newest and former versions. It reads them when it begins
/// and whenever FlowWorkers::wake_all() says that they changed, and keeps its lease and its runs:
/// each goes on with the code it was claimed for (V2). A flow that the database refuses is logged
/// and left out. Without any flow it waits for one.
///
/// Of a plugin that is in quarantine nothing is begun: what runs may finish, the runs it owns are
/// given back uncharged, and no others are claimed until the plugin is released.
///
/// Threads: run() is the worker's loop; drain() and stop_now() may come from any thread.
class Worker {
 public:
  /// `registry` and `store` must outlive the worker.
  Worker(WorkerOptions options, FlowRegistry& registry, WorkerStore& store,
         std::shared_ptr<Log> log);
  ~Worker();

  /// Returns after a drain: all handlers ended and nothing is owned any more; or with an error of
  /// the database's that waiting does not mend. `handlers_left` tells how many handlers ignored
  /// their stop token and still run on threads left behind: end the process soon then.
  struct Ended {
    std::size_t handlers_left = 0;
  };
  Result<Ended> run();

  /// The same count, also when run() ended with an error. Once it has returned.
  std::size_t handlers_left() const noexcept { return handlers_left_; }

  /// Claims nothing more, lets what runs finish, gives back the rest, then ends run() (L5).  [any
  /// thread]
  void drain() noexcept;

  /// As drain(), but gives back at once what still runs, uncharged.  [any thread]
  void stop_now() noexcept;

 private:
  void hand_over(const FlowWorkers& others, const std::vector<std::string>& slugs, bool comes_back);

  WorkerOptions options_;
  FlowRegistry& registry_;
  WorkerStore& store_;
  std::shared_ptr<Log> log_;
  std::size_t handlers_left_ = 0;
  // Set by any thread, read by the loop (relaxed: no data goes with it); store_.wake() makes it
  // look.
  std::atomic<Wish> wish_ = Wish::serve;
  std::atomic<bool> called_ = false;         // as wish_: by FlowWorkers, that runs may wait
  std::atomic<bool> flows_changed_ = false;  // as wish_: by FlowWorkers
};

}  // namespace weir

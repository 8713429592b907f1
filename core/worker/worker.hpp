#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "definition/default_settings.hpp"
#include "definition/flow_limits.hpp"
#include "definition/step_options.hpp"
#include "registry/flow_registry.hpp"
#include "store/worker_store.hpp"
#include "worker/stop_request.hpp"

namespace weir {

/// Suspects to be tried (F10): attempts that ran in processes whose crash nobody is known to be to
/// blame for.
struct SuspectTrial {
  std::vector<WorkerId> of;            ///< the crashed workers that keep the suspects' runs
  std::vector<InFlightTask> suspects;  ///< what is tried
  /// Called when every suspect that could be tried has been: the worker waits to be drained. On the
  /// worker's loop; must be quick.
  std::function<void()> on_end;
};

class FlightRecorder;
class FlowWorkers;
class Quarantine;
class RunEvents;
class StepResources;

struct WorkerOptions {
  std::size_t slots = default_settings::slots;  ///< handlers that run at the same time
  /// Calls that are deferred and pending at the same time, beside those in slots.
  std::size_t async_calls = default_settings::async_calls;
  /// What the calls that are deferred may hold together: their inputs and, as is expected, results.
  std::int64_t async_bytes = default_settings::async_bytes;
  /// After how long without an exchange the database considers the worker dead.
  std::chrono::milliseconds lease = default_settings::lease;
  /// How long running handlers may continue after drain().
  std::chrono::milliseconds drain_timeout = default_settings::drain_timeout;
  bool sweeps = true;  ///< sweeps lapsed workers (L3); false: another part of the process does
  /// Those of the process; null: the worker's own, only during run().
  std::shared_ptr<StepResources> resources = {};
  /// Where it registers; null: FlowWorkers::of_this_process().
  std::shared_ptr<FlowWorkers> flow_workers = {};
  /// Where it publishes events; null: RunEvents::of_this_process().
  std::shared_ptr<RunEvents> events = {};
  /// By slug: the operator's, which replace options of the definition.
  std::map<std::string, FlowOverrides> overrides{};
  std::map<std::string, FlowLimits> limits{};  ///< by slug: the operator's; others have none (C6)
  std::set<std::string> adopting{};  ///< slugs whose open runs continue with a new version (V3)
  std::shared_ptr<Quarantine> quarantine = {};  ///< plugins that may not run; null: all may
  /// That of the process; null: attempts are not recorded for the case of a crash.
  std::shared_ptr<FlightRecorder> recorder = {};
  /// Outputs from this size on are written beside the exchanges, so that nothing waits for them.
  std::size_t large_bytes = 1024 * 1024;
  /// The worker only holds this trial: it should be the only one of its process.
  std::optional<SuspectTrial> trial = {};
};

/// Runs the flows of a registry against a database, until it is drained.
///
/// It owns whole runs: it claims them, walks their graphs in memory (RunState), runs handlers in
/// its slots, and sends everything to the database with one call, exchange; only what is large is
/// written beside it (L10). A dependent task starts only after that call has committed what it
/// depends on (P1); a handler starts only after its attempt was stated as in flight (F1). When the
/// lease is lost, the worker forgets everything it held and joins again as a new worker (L2), after a
/// pause if that happens again and again (RejoinPause). When the database is away, it repeats the
/// same call until that is answered (L6).
///
/// Its flows are those of the registry, newest and former versions. It reads them when it begins,
/// and again after FlowWorkers::wake_all(). Then it keeps its lease and its runs: each run
/// continues with the code that it was claimed for (V2). A flow that the database refuses is logged
/// and not served. A worker without any flow waits for one.
///
/// No task of a plugin in quarantine is started: attempts in flight may finish, the worker's runs
/// of it are released, which charges no attempt, and no others are claimed until the plugin leaves
/// quarantine.
///
/// Threads: run() is the worker's loop; drain() and stop_now() may come from any thread.
class Worker {
 public:
  /// `registry` and `store` must outlive the worker.
  Worker(WorkerOptions options, FlowRegistry& registry, WorkerStore& store,
         std::shared_ptr<Log> log);
  ~Worker();

  /// Returns after a drain, when all handlers have ended and no run is owned any more; or with an
  /// error of the database that is not temporary. `handlers_left` is the number of handlers that
  /// ignored their stop token and still run on threads that were handlers_left behind: if there are any, the
  /// process should end soon.
  struct Ended {
    std::size_t handlers_left = 0;
  };
  Result<Ended> run();

  /// The same count, also when run() ended with an error. Valid after run() has returned.
  std::size_t handlers_left() const noexcept { return handlers_left_; }

  /// Claims nothing more, lets attempts in flight finish, releases the rest, then ends run() (L5).
  /// [any thread]
  void drain() noexcept;

  /// As drain(), but releases immediately what is in flight; no attempt is charged.  [any thread]
  void stop_now() noexcept;

 private:
  void wait(std::chrono::milliseconds pause);
  void wake_others(const FlowWorkers& others, const std::vector<std::string>& slugs,
                   bool comes_back);

  WorkerOptions options_;
  FlowRegistry& registry_;
  WorkerStore& store_;
  std::shared_ptr<Log> log_;
  std::size_t handlers_left_ = 0;
  // Set by any thread, read by the loop (relaxed: they publish no other data); store_.wake() makes
  // the loop read them.
  std::atomic<StopRequest> stop_request_ = StopRequest::none;
  std::atomic<bool> runs_may_wait_ = false;  // set by FlowWorkers: there may be runs to claim
  std::atomic<bool> flows_changed_ = false;  // set by FlowWorkers: the registry must be read
};

}  // namespace weir

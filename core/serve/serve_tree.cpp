#include "serve/serve_tree.hpp"

#include <utility>
#include <vector>

#include <fmt/core.h>

#include "serve/lease_sweeper.hpp"
#include "serve/plugin_watch.hpp"
#include "serve/retention_keeper.hpp"
#include "serve/schedule_ticker.hpp"
#include "serve/worker_child.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;
using What = SupervisorEvent::What;

// Fast enough to give up a child that cannot work within a second, slow enough not to cause load.
constexpr RestartBackoff backoff = {.first = 100ms, .longest = 2s};

LogLevel level(What what) {
  switch (what) {
    case What::start_failed:
    case What::died:
    case What::over_time:
      return LogLevel::error;
    case What::restarted:
    case What::shut_down:
      return LogLevel::info;
    case What::started:
    case What::ignored:
    case What::stopped:
    case What::gave_up:  // the command reports it when it ends
      return LogLevel::debug;
  }
  return LogLevel::info;
}

}  // namespace

Result<std::unique_ptr<ServeTree>> ServeTree::start(ServeOptions options, FlowRegistry& registry,
                                                    const StoreOpener& open,
                                                    const std::shared_ptr<Log>& log) {
  const auto workers = std::make_shared<LiveWorkers>();
  options.worker.sweeps = false;
  std::vector<ChildSpec> children;
  if (!options.worker.trial) children.push_back(lease_sweeper(options.worker.lease, open, log));
  options.kept.resources = options.worker.resources;
  options.kept.flow_workers = options.worker.flow_workers;
  options.kept.quarantine = options.worker.quarantine;
  if (options.worker.quarantine)
    options.worker.quarantine->on_change([workers = options.worker.flow_workers] {
      (workers ? *workers : *FlowWorkers::of_this_process()).wake_all();
    });
  if (!options.worker.trial)
    children.push_back(version_keeper(registry, open, options.kept, log, options.keeper_intervals));
  // Before the workers, so that they find its flows.
  if (options.plugins) children.push_back(plugin_watch(options.plugins));
  if (options.maintenance)
    children.push_back(retention_keeper(options.retention, options.maintenance, log));
  for (std::size_t i = 1; i <= options.workers; ++i)
    children.push_back(worker_child(fmt::format("worker-{}", i), options.worker, options.stop_grace,
                                    registry, open, workers, log));
  // The child that starts runs comes last, so that it stops first.
  if (options.maintenance) children.push_back(schedule_ticker(options.maintenance, log));
  auto supervisor = Supervisor::start({.name = "serve",
                                       .strategy = Strategy::one_for_one,
                                       .limit = options.limit,
                                       .backoff = backoff,
                                       .template_spec = {},
                                       .names = {},
                                       .observer =
                                           [log](const SupervisorEvent& event) {
                                             log->write(level(event.what), to_string(event));
                                           }},
                                      std::move(children));
  if (!supervisor) return std::unexpected(std::move(supervisor.error()));
  return std::unique_ptr<ServeTree>(new ServeTree(*std::move(supervisor), workers));
}

void ServeTree::drain() {
  supervisor_->request_stop();  // first, so that a worker that has drained is not started again
  workers_->drain();
}

void ServeTree::stop_now() {
  supervisor_->request_stop();
  workers_->stop_now();
}

std::size_t ServeTree::stuck() const {
  std::size_t count = 0;
  for (const ChildInfo& child : supervisor_->children()) count += child.abandoned;
  return count;
}

}  // namespace weir

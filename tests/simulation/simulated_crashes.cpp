// What a crash leaves, and the trial of suspects (F10).
#include <algorithm>

#include "simulation/simulated_database.hpp"

namespace weir::simulation {

bool SimulatedDatabase::end_crashed_worker(const CrashedWorker& crashed) {
  commits();
  const auto found = tables_.workers.find(crashed.worker);
  if (found == tables_.workers.end() || found->second.ended_at) return false;
  WorkerRow& worker = found->second;
  if (const auto& process = crashed.process;
      process && (process->host != worker.identity.host || process->pid != worker.identity.pid))
    return false;
  const auto is_in_flight = [&](const InFlightTask& task) {
    const auto open = tables_.open_runs.find(task.run);
    return open != tables_.open_runs.end() && open->second.worker == crashed.worker &&
           std::ranges::any_of(worker.in_flight, [&](const InFlightTask& stated) {
             return stated.run == task.run && stated.task == task.task &&
                    stated.attempt == task.attempt;
           });
  };
  std::set<RunKey> kept;
  if (crashed.culprit) {
    const InFlightTask& task = crashed.culprit->task;
    if (is_in_flight(task) && !tables_.journal[task.run].contains({task.task, task.attempt}))
      append(task.run,
             {.task = task.task,
              .attempt = task.attempt,
              .outcome = Outcome::failed,
              .error_code = crashed.culprit->error_code,
              .error = crashed.report,
              .started_at = now(),
              .ended_at = now()},
             crashed.worker);
  } else {
    for (const InFlightTask& task : crashed.suspects)
      if (is_in_flight(task) && !tables_.open_runs.at(task.run).cancel_reason)
        kept.insert(task.run);
  }
  worker.keeps_runs = !release_all(crashed.worker, kept);
  end_worker(crashed.worker, "crashed");
  worker.lease_until = kept.empty() ? now() : now() + crashed.kept_for;
  wake_workers();
  return true;
}

// Claims what crashed workers keep for the trial that the worker holds.
std::vector<RunKey> SimulatedDatabase::take_suspects(const ExchangeRequest& request,
                                                     const std::set<VersionId>& paused) {
  if (request.claims_max == 0) return {};
  const std::set<VersionId> wanted(request.versions.begin(), request.versions.end());
  std::vector<RunKey> taken;
  for (const WorkerId of : tables_.workers.at(request.worker).identity.trial_of) {
    WorkerRow& crashed = tables_.workers.at(of);
    if (!crashed.keeps_runs) continue;
    crashed.keeps_runs = false;
    for (auto& [run, open] : tables_.open_runs) {
      if (open.worker != of) continue;
      const VersionId version = tables_.runs.at(run).version;
      if (!wanted.contains(version) || paused.contains(version)) {
        crashed.keeps_runs = true;
        continue;
      }
      open.news_heard = 0;
      take(run, request);
      taken.push_back(run);
    }
  }
  return taken;
}

}  // namespace weir::simulation

// How workers end, and what outages cost them: what sweep.sql, leave_as_worker.sql, release_runs.sql,
// notice_outage.sql, spare_workers.sql and resume_as_worker.sql do. What the transaction of
// a handler has locked is left to the next sweep.
#include <algorithm>

#include <fmt/core.h>

#include "simulation/simulated_database.hpp"

namespace weir::simulation {

void SimulatedDatabase::come_up(Tables data, bool standby) {
  tables_ = std::move(data);
  tables_.settlements.clear();
  noticed_ = false;
  if (standby) ++timeline_;
}

void SimulatedDatabase::notice_outage(std::optional<WorkerId> id) {
  if (environment_.mistake == Mistake::outage_unnoticed) return;
  if (!std::exchange(noticed_, true)) {
    swept_at_ = now();
    for (auto& [each, worker] : tables_.workers)
      if (!worker.ended_at) worker.lease_until = std::max(worker.lease_until, now() + worker.lease);
  }
  if (!id) return;
  const auto found = tables_.workers.find(*id);
  if (found != tables_.workers.end() && !found->second.ended_at &&
      found->second.lease_until <= now())
    spare_workers();
}

bool SimulatedDatabase::may_be_spared(const WorkerRow& worker) const {
  return !worker.spared && swept_at_ && *swept_at_ + worker.lease * 2 / 3 < now();
}

void SimulatedDatabase::spare_workers() {
  for (auto& [id, worker] : tables_.workers) {
    if (worker.ended_at || worker.lease == Duration(0) || !may_be_spared(worker) ||
        worker.lease_until >= now() + worker.lease)
      continue;
    worker.lease_until = now() + worker.lease;
    worker.spared = true;
  }
}

Result<std::vector<RunKey>> SimulatedDatabase::resume(WorkerId id, std::int64_t sequence,
                                                      std::int64_t settled,
                                                      std::chrono::milliseconds lease) {
  if (const auto renewed = renew(id, lease); !renewed) return std::unexpected(renewed.error());
  WorkerRow& worker = tables_.workers.at(id);
  if (worker.sequence < settled || worker.sequence > sequence)
    return std::unexpected(
        sim_error(ErrorCode::lease_lost, "lease_lost",
                  fmt::format("the database has lost what worker {} has settled", id),
                  "it gives back what it holds, and joins again as a new worker"));
  worker.sequence = sequence;
  witness_->resumed(id);
  std::vector<RunKey> held;
  for (const auto& [run, open] : tables_.open_runs)
    if (open.worker == id || environment_.mistake == Mistake::resume_keeps_all) held.push_back(run);
  return held;
}

int SimulatedDatabase::sweep() {
  commits();
  notice_outage();
  spare_workers();
  swept_at_ = now();
  int count = 0;
  for (auto& [id, worker] : tables_.workers) {
    if (worker.ended_at || worker.lease_until > now()) continue;
    for (const InFlightTask& task : worker.in_flight) {
      if (environment_.mistake == Mistake::sweep_charges_none) break;
      if (worker.timeline != timeline_ && environment_.mistake != Mistake::failover_charged)
        break;  // what it did last may be lost (F11)
      const auto open = tables_.open_runs.find(task.run);
      const ShareRow* const share = share_of(id, task.run, task.task, task.attempt);
      const bool owned = open != tables_.open_runs.end() && open->second.worker == id;
      if (share != nullptr ? is_locked(*share) : !owned || is_locked(task.run)) continue;
      if (tables_.journal[task.run].contains({task.task, task.attempt})) continue;
      append(task.run,
             {.task = task.task,
              .attempt = task.attempt,
              .outcome = Outcome::lost,
              .error_code = "lost",
              .error = fmt::format("worker {} on {} (pid {}) vanished while this ran", id,
                                   worker.identity.host, worker.identity.pid),
              .started_at = worker.lease_until,
              .ended_at = now()},
             id, owned && share == nullptr);
    }
    if (environment_.mistake != Mistake::sweep_forgets_runs && !release_all(id)) {
      worker.lease = {};  // no outage gives it another one
      continue;
    }
    end_worker(id, "lapsed");
    ++count;
  }
  for (auto& [id, worker] : tables_.workers)
    if (worker.keeps_runs && worker.lease_until <= now()) worker.keeps_runs = !release_all(id);
  if (count > 0) wake_workers();
  return count;
}

void SimulatedDatabase::leave(WorkerId id) {
  commits();
  const auto found = tables_.workers.find(id);
  if (found == tables_.workers.end() || found->second.ended_at) return;
  if (release_all(id)) return end_worker(id, "left");
  WorkerRow& worker = found->second;
  worker.lease = {};
  worker.lease_until = std::min(worker.lease_until, now());
  worker.in_flight.clear();
  worker.idle = false;
  witness_->left(id);
}

void SimulatedDatabase::end_worker(WorkerId id, const char* reason) {
  WorkerRow& worker = tables_.workers.at(id);
  worker.ended_at = now();
  worker.end_reason = reason;
  worker.idle = false;
  witness_->worker_ended(id);
  worker.in_flight.clear();
}

// However a worker loses a run: all notifications are sent again, and a rule of adoption applies.
void SimulatedDatabase::release(RunKey run) {
  OpenRunRow& open = tables_.open_runs.at(run);
  open.worker.reset();
  open.news_heard = 0;
  free_place(run);
  tables_.runs.at(run).version = adopted(tables_.runs.at(run).version);
}

// Releases what a worker holds, except what it keeps, as far as it is not locked. Returns whether it holds nothing any more.
bool SimulatedDatabase::release_all(WorkerId worker, const std::set<RunKey>& kept) {
  std::vector<RunKey> released;
  for (auto& [run, open] : tables_.open_runs)
    if (open.worker == worker && !kept.contains(run) && !is_locked(run) &&
        !(open.cancel_reason && is_locked_tree(run))) {
      release(run);
      released.push_back(run);
    }
  if (environment_.mistake != Mistake::sweep_forgets_shares) release_shares(worker);
  for (const RunKey run : released)
    if (const auto open = tables_.open_runs.find(run);
        open != tables_.open_runs.end() && open->second.cancel_reason)
      cancel_runs({run}, std::string(*open->second.cancel_reason));
  if (!released.empty()) wake_workers();
  const auto is_held = [&](const auto& each) { return each.second.worker == worker; };
  return std::ranges::none_of(tables_.open_runs, is_held) &&
         (std::ranges::none_of(tables_.shares, is_held) ||
          environment_.mistake == Mistake::sweep_forgets_shares);
}

}  // namespace weir::simulation

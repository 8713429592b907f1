#include "simulation/simulated_database.hpp"

#include <algorithm>
#include <set>

#include <fmt/core.h>

#include "simulation/jsonb.hpp"

namespace weir::simulation {

Error sim_error(ErrorCode code, std::string kind, std::string message, std::string hint) {
  return {.code = code,
          .kind = std::move(kind),
          .message = std::move(message),
          .hint = std::move(hint)};
}

Error sim_invalid(std::string message, std::string hint) {
  return sim_error(ErrorCode::invalid_input, "invalid_input", std::move(message), std::move(hint));
}

namespace {

Error lease_lost(std::string message) {
  return sim_error(ErrorCode::lease_lost, "lease_lost", std::move(message),
                   "other workers have its runs now; it joins again as a new worker");
}

}  // namespace

SimulatedDatabase::SimulatedDatabase(Environment environment)
    : environment_(std::move(environment)),
      witness_(environment_.witness == nullptr ? &silent_ : environment_.witness) {}

bool SimulatedDatabase::is_alive(WorkerId worker) const {
  const auto found = tables_.workers.find(worker);
  return found != tables_.workers.end() && !found->second.ended_at &&
         (found->second.timeline == timeline_ ||
          environment_.mistake == Mistake::failover_unnoticed) &&
         (found->second.lease_until > now() || (!noticed_ && found->second.lease > Duration(0) &&
                                                environment_.mistake != Mistake::outage_unnoticed));
}

bool SimulatedDatabase::may_settle(WorkerId worker) const {
  if (is_alive(worker)) return true;
  const auto found = tables_.workers.find(worker);
  return found != tables_.workers.end() && !found->second.ended_at &&
         found->second.timeline == timeline_ && found->second.lease > Duration(0) &&
         environment_.mistake != Mistake::outage_unnoticed && may_be_spared(found->second);
}

PluginId SimulatedDatabase::register_plugin(const std::string& sha256) {
  commits();
  for (const auto& [id, known] : tables_.plugins)
    if (known == sha256) return id;
  const auto id = static_cast<PluginId>(tables_.plugins.size() + 1);
  tables_.plugins.emplace(id, sha256);
  return id;
}

WorkerId SimulatedDatabase::join(const WorkerIdentity& identity, std::chrono::milliseconds lease) {
  commits();
  notice_outage();
  const WorkerId id = ++last_worker_;
  tables_.workers[id] = {.identity = identity,
                         .started_at = now(),
                         .lease_until = now() + lease,
                         .heard_at = now(),
                         .lease = lease,
                         .in_flight = {},
                         .ended_at = {},
                         .end_reason = {}};
  tables_.workers[id].timeline = timeline_;
  return id;
}

Result<ExchangeReply> SimulatedDatabase::exchange(const ExchangeRequest& request) {
  for (const auto& [worker, settled] : std::exchange(late_, {}))
    append(settled.run, settled.row, worker);
  commits(!request.settled.empty() || !request.ended.empty() || !request.released.empty());
  notice_outage(request.worker);
  const auto found = tables_.workers.find(request.worker);
  const bool fenced = environment_.mistake != Mistake::no_fence;
  const bool known = found != tables_.workers.end() && (is_alive(request.worker) || !fenced);
  const std::int64_t seen = known ? found->second.sequence : 0;
  if (!known || seen > request.sequence)
    return std::unexpected(lease_lost(fmt::format("worker {} has lost its lease", request.worker)));
  if (seen < request.sequence - 1 && environment_.mistake != Mistake::gap_unnoticed)
    return std::unexpected(sim_error(ErrorCode::lease_lost, std::string(commits_lost),
                                     fmt::format("the database has lost {} commits of worker {}",
                                                 request.sequence - 1 - seen, request.worker),
                                     "weir.resume_as_worker lets it continue"));
  WorkerRow& worker = found->second;

  std::set<VersionId> paused;
  for (const VersionId id : request.versions)
    if (tables_.versions.contains(id) && tables_.flows.at(version(id).flow).paused)
      paused.insert(id);  // a failover may have lost it

  std::vector<RunKey> claimed;
  ExchangeReply reply{.now = {}, .next_wake_at = {}, .claimed = {}};
  if (seen <= request.sequence - 1 || environment_.mistake == Mistake::repeats_as_new) {
    for (const SettledAttempt& settled : request.settled)
      if (tables_.journal[settled.run].contains({settled.row.task, settled.row.attempt}))
        return std::unexpected(
            sim_error(ErrorCode::conflict, "already_exists",
                      "duplicate key value violates unique constraint \"journal_pkey\"",
                      "choose another id"));
    witness_->before_exchange(request);
    for (const SettledAttempt& settled : request.settled)
      if (environment_.mistake == Mistake::journals_late)
        late_.emplace_back(request.worker, settled);
      else
        append(settled.run, settled.row, request.worker);

    const auto owned = [&](RunKey run) {
      const auto open = tables_.open_runs.find(run);
      return open != tables_.open_runs.end() && open->second.worker == request.worker
                 ? &open->second
                 : nullptr;
    };
    std::vector<EndedRun> ends;
    for (const EndedRun& each : request.ended) {
      if (owned(each.run) == nullptr) continue;
      if (is_locked_tree(each.run) || environment_.row_is_locked())
        reply.busy.insert(each.run);
      else
        ends.push_back(each);
    }
    end_runs(ends);

    for (const auto& [run, count] : request.acknowledged)
      if (OpenRunRow* const open = owned(run); open != nullptr && !environment_.row_is_locked())
        open->news_heard = std::max(open->news_heard, count);

    std::vector<RunKey> to_cancel;
    for (const auto& [run, wake_at] : request.released) {
      OpenRunRow* const open = owned(run);
      if (open == nullptr) continue;
      if ((open->cancel_reason && is_locked_tree(run)) || environment_.row_is_locked()) {
        reply.busy.insert(run);
        continue;
      }
      const bool sleeps = (open->news <= open->news_heard ||
                           environment_.mistake == Mistake::sleeps_despite_notification) &&
                          wake_at && *wake_at > now();
      release(run);
      open->wake_at = sleeps ? wake_at : std::nullopt;
      if (open->cancel_reason) to_cancel.push_back(run);
    }
    for (const RunKey run : to_cancel)
      if (const auto open = tables_.open_runs.find(run); open != tables_.open_runs.end())
        cancel_runs({run}, std::string(*open->second.cancel_reason));
    if (!request.released.empty()) wake_workers();

    claimed = worker.identity.trial_of.empty()
                  ? take_candidates(request, paused, reply.next_wake_at)
                  : take_suspects(request, paused);
  } else {
    for (const auto& [run, open] : tables_.open_runs)
      if (open.worker == request.worker && open.claimed_in == request.sequence)
        claimed.push_back(run);
    // What the first call left out shows in what it wrote.
    const auto note_busy = [&](RunKey run) {
      const auto open = tables_.open_runs.find(run);
      if (open != tables_.open_runs.end() && open->second.worker == request.worker &&
          open->second.claimed_in != request.sequence)
        reply.busy.insert(run);
    };
    for (const EndedRun& each : request.ended) note_busy(each.run);
    for (const ReleasedRun& each : request.released) note_busy(each.run);
  }

  std::ranges::sort(claimed, {},
                    [&](RunKey run) { return std::pair(-tables_.runs.at(run).priority, run); });
  reply.now = now();  // no earlier than what was decided above: conformance runs on a real clock
  worker.lease_until = reply.now + request.lease;
  worker.heard_at = reply.now;
  worker.spared = false;
  worker.sequence = request.sequence;
  worker.idle = worker.identity.trial_of.empty() && claimed.size() < request.claims_max;
  worker.in_flight = request.in_flight;
  const std::map<RunKey, InFlightTask> begun = begun_by(request, claimed);
  if (environment_.mistake != Mistake::begun_unstated)
    for (const auto& [run, task] : begun) worker.in_flight.push_back(task);

  for (const auto& [run, open] : tables_.open_runs) {
    if (!open.worker && open.wake_at &&
        (!reply.next_wake_at || *open.wake_at < *reply.next_wake_at))
      reply.next_wake_at = open.wake_at;
    if (open.worker == request.worker && open.news > open.news_heard)
      reply.notifications.emplace(run, notifications_of(run));
  }
  reply.paused.assign(paused.begin(), paused.end());
  for (const RunKey run : claimed) {
    const RunRow& row = tables_.runs.at(run);
    ClaimedRun claim{.run = run,
                     .id = row.id,
                     .version = row.version,
                     .priority = row.priority,
                     .input = row.input,
                     .available_at = row.available_at,
                     .has_history = tables_.open_runs.at(run).claims > 1,
                     .has_parent = row.parent.has_value()};
    if (const auto first = begun.find(run); first != begun.end())
      claim.begun = first->second.task.step;
    if (auto notified = reply.notifications.extract(run); !notified.empty())
      claim.notifications = std::move(notified.mapped());
    reply.claimed.push_back(std::move(claim));
  }
  return reply;
}

// What the first claimed runs begin with, of those that nobody had before.
std::map<RunKey, InFlightTask> SimulatedDatabase::begun_by(
    const ExchangeRequest& request, const std::vector<RunKey>& claimed) const {
  std::map<RunKey, InFlightTask> begun;
  const auto serving = tables_.serving.find(request.worker);
  if (serving == tables_.serving.end() ||
      !tables_.workers.at(request.worker).identity.trial_of.empty())
    return begun;
  std::size_t left = request.begins_max;
  for (const RunKey run : claimed) {
    if (tables_.open_runs.at(run).claims != 1) continue;
    if (left-- == 0) break;
    const auto served = serving->second.find(tables_.runs.at(run).version);
    if (served == serving->second.end() || !served->second.first_step) continue;
    begun[run] = {.run = run,
                  .task = {*served->second.first_step, 0},
                  .attempt = 1,
                  .plugin = served->second.plugin};
  }
  return begun;
}

// Runs that their worker ends, all of which are free.
void SimulatedDatabase::end_runs(const std::vector<EndedRun>& ends) {
  std::vector<RunKey> ended, parents;
  for (const auto& [run, end, relations] : ends) {
    if (const auto& parent = tables_.runs.at(run).parent) parents.push_back(parent->run);
    close(run, end);
    ended.push_back(run);
  }
  if (!parents.empty()) notify_runs(parents);
  number_child_ends(ended);
  cancel_children(ended);
}

// What record_large_result.sql and record_large_end.sql do.
Result<bool> SimulatedDatabase::record_large(WorkerId worker, const LargeWrite& write) {
  commits();
  if (const auto* const ended = std::get_if<EndedRun>(&write)) {
    const auto run = tables_.runs.find(ended->run);  // none: a failover has lost it
    if (run != tables_.runs.end() && run->second.status) return true;
    if (auto owned = check_owner(worker, ended->run, "ends it"); !owned)
      return std::unexpected(owned.error());
    if (environment_.row_is_locked() || is_locked_tree(ended->run)) return false;
    witness_->commit_begins();
    end_runs({*ended});
    return true;
  }
  const auto& settled = std::get<SettledAttempt>(write);
  const Journal& journal = tables_.journal[settled.run];
  if (const auto row = journal.find({settled.row.task, settled.row.attempt});
      row != journal.end() && row->second.worker == worker)
    return true;
  const bool is_held =
      holds_share(settled.share, worker, settled.run, settled.row.task, settled.row.attempt);
  const auto open = tables_.open_runs.find(settled.run);
  const bool is_owned =
      settled.share == 0 && open != tables_.open_runs.end() && open->second.worker == worker;
  if ((!is_held && !is_owned) || !may_settle(worker))
    return std::unexpected(
        lease_lost(fmt::format("worker {} has lost its lease, or run {}", worker, settled.run)));
  if (environment_.row_is_locked()) return false;
  if (journal.contains({settled.row.task, settled.row.attempt})) return true;
  witness_->commit_begins();
  JournalRow row = settled.row;
  row.outcome = Outcome::completed;  // as the function has it
  append(settled.run, row, worker, false);
  if (is_held)
    notify_share_owner(settled.run, {.run = settled.run,
                                     .step = settled.row.task.step,
                                     .attempt = settled.row.attempt,
                                     .indexes = {settled.row.task.index}});
  return true;
}

// Claims runs that are due and that no worker owns, by priority and age, as far as limits allow.
// `next_at` is when limits allow more.
std::vector<RunKey> SimulatedDatabase::take_candidates(const ExchangeRequest& request,
                                                       const std::set<VersionId>& paused,
                                                       std::optional<Time>& next_at) {
  if (request.claims_max == 0) return {};
  std::set<VersionId> wanted(request.versions.begin(), request.versions.end());
  for (const VersionId crowded : request.crowded) wanted.erase(crowded);
  std::vector<std::pair<int, RunKey>> candidates;
  for (auto& [run, open] : tables_.open_runs) {
    if (open.worker) continue;
    if (open.wake_at && *open.wake_at <= now()) open.wake_at.reset();
    const RunRow& row = tables_.runs.at(run);
    if (!open.wake_at && wanted.contains(row.version) && !paused.contains(row.version))
      candidates.emplace_back(-row.priority, run);
  }
  std::ranges::sort(candidates);
  for (const auto& [flow, limit] : tables_.limits) {
    const auto is_limited = [&, limited = flow](const auto& candidate) {
      return version(tables_.runs.at(candidate.second).version).flow == limited;
    };
    std::vector<RunKey> waiting;
    for (const auto& each : candidates)
      if (is_limited(each)) waiting.push_back(each.second);
    const auto allowed = allowed_runs(flow, waiting, request.claims_max, next_at);
    std::erase_if(candidates, [&](const auto& each) {
      return is_limited(each) && std::ranges::find(allowed, each.second) == allowed.end();
    });
  }
  candidates.resize(std::min(candidates.size(), request.claims_max));
  std::vector<RunKey> taken;
  for (const auto& [priority, run] : candidates) {
    take(run, request);
    taken.push_back(run);
  }
  charge_limits(taken);
  witness_->claimed(taken);
  return taken;
}

void SimulatedDatabase::take(RunKey run, const ExchangeRequest& request) {
  OpenRunRow& open = tables_.open_runs.at(run);
  open.worker = request.worker;
  open.claimed_in = request.sequence;
  ++open.claims;
  if (!open.started_at) open.started_at = now();
}

RunNotifications SimulatedDatabase::notifications_of(RunKey run) const {
  const OpenRunRow& open = tables_.open_runs.at(run);
  static const Journal no_rows;
  const auto journal = tables_.journal.find(run);
  const Journal& rows = journal == tables_.journal.end() ? no_rows : journal->second;
  const auto is_completed = [&](std::size_t step) {
    return std::ranges::any_of(rows, [&](const auto& row) {
      return row.first.first.step == step && row.second.row.outcome == Outcome::completed;
    });
  };
  RunNotifications notifications{.count = open.news, .cancelled = open.cancel_reason};
  for (auto each = tables_.signals.lower_bound({run, 0});
       each != tables_.signals.end() && each->first.first == run; ++each)
    if (each->second.news > open.news_heard && !is_completed(each->first.second))
      notifications.signals.emplace(each->first.second, each->second.payload);
  for (auto each = tables_.children.lower_bound({run, 0, 0});
       each != tables_.children.end() && each->first.run == run; ++each) {
    const RunRow& child = tables_.runs.at(each->second);
    if (!child.status || child.parent_news <= open.news_heard) continue;
    if (rows.contains({{.step = each->first.step, .index = 0}, each->first.attempt})) continue;
    notifications.children.emplace(std::pair(each->first.step, each->first.attempt),
                                   ChildRunEnd{.id = child.id,
                                               .status = *child.status,
                                               .output = child.output.value_or(Json()),
                                               .error = child.error});
  }
  return notifications;
}

Result<void> SimulatedDatabase::renew(WorkerId worker, std::chrono::milliseconds lease) {
  commits();
  notice_outage(worker);
  if (!is_alive(worker))
    return std::unexpected(lease_lost(fmt::format("worker {} has lost its lease", worker)));
  WorkerRow& row = tables_.workers.at(worker);
  row.lease_until = now() + lease;
  row.heard_at = now();
  row.spared = false;
  return {};
}

Result<void> SimulatedDatabase::start_child(WorkerId worker, const ChildStart& child) {
  commits();
  const RunKey run = child.parent;
  const auto open = tables_.open_runs.find(run);
  if (open == tables_.open_runs.end() || open->second.worker != worker || !may_settle(worker))
    return std::unexpected(
        lease_lost(fmt::format("worker {} has lost its lease, or run {}", worker, run)));
  const ParentLink parent{run, child.step, child.attempt};
  if (open->second.cancel_reason || tables_.children.contains(parent)) return {};
  const auto version = version_to_start(child.flow, {});
  if (!version) return std::unexpected(version.error());
  if (const auto fits = check_input(*version, child.input); !fits) return fits;
  const RunRow& row = tables_.runs.at(run);
  const Time begun = now();
  make_run(*version, child.input, new_run_id(), begun, begun, row.priority, row.tags, parent);
  wake_workers();
  return {};
}

std::map<RunKey, std::vector<JournalRow>> SimulatedDatabase::journal(
    std::span<const RunKey> runs) const {
  std::map<RunKey, std::vector<JournalRow>> found;
  for (const RunKey run : runs)
    if (const auto rows = tables_.journal.find(run); rows != tables_.journal.end())
      for (const auto& [key, stored] : rows->second) found[run].push_back(stored.row);
  return found;
}

void SimulatedDatabase::serve_versions(WorkerId worker,
                                       std::map<VersionId, ServedVersion> versions) {
  commits();
  for (const auto& [version, served] : tables_.serving[worker] = std::move(versions)) {
    const auto known = tables_.versions.find(version);
    if (known == tables_.versions.end()) continue;  // a failover has lost it
    if (const auto offered = offered_version(known->second.flow))
      tables_.flows.at(known->second.flow).last_offered = offered;
  }
}

// A worker's clock may be ahead.
JournalRow SimulatedDatabase::in_own_time(JournalRow row) const {
  row.started_at = std::min(row.started_at, now());
  row.ended_at = std::min(row.ended_at, now());
  return row;
}

void SimulatedDatabase::append(RunKey run, JournalRow row, WorkerId worker, bool told) {
  if (row.output) row.output = as_jsonb(*row.output);
  const Time stated = row.ended_at;
  row = in_own_time(std::move(row));
  const auto [at, fresh] =
      tables_.journal[run].emplace(RowKey{row.task, row.attempt}, StoredRow{row, worker});
  static_cast<void>(fresh);
  witness_->journaled(run, at->second.row, worker, told, stated);
}

void SimulatedDatabase::close(RunKey run, const RunEnd& end) {
  end_shares(run, {});
  RunRow& row = tables_.runs.at(run);
  row.status = end.status;
  if (end.status == RunStatus::completed) row.output = as_jsonb(end.output);
  row.error = end.error;
  row.note = end.note;
  row.failed_step = end.failed_step;
  row.started_at = tables_.open_runs.at(run).started_at;
  row.ended_at = now();
  if (tables_.open_runs.at(run).worker) free_place(run);
  tables_.open_runs.erase(run);
  witness_->ended(run);
}

// A notification, which is a hint; sent only when a worker waits for it.
void SimulatedDatabase::wake_workers() {
  for (const auto& [id, worker] : tables_.workers)
    if (worker.idle && is_alive(id)) {
      environment_.notify_ready();
      return;
    }
}

}  // namespace weir::simulation

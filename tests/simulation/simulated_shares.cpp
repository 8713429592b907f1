// Ranges of wide maps that others take: what schemas/functions/engine/shares/*.sql and
// notify_share_owner.sql do.
#include <algorithm>

#include <fmt/core.h>

#include "simulation/jsonb.hpp"
#include "simulation/simulated_database.hpp"

namespace weir::simulation {
namespace {

Error lost(std::string message, std::string hint) {
  return sim_error(ErrorCode::lease_lost, "lease_lost", std::move(message), std::move(hint));
}

bool overlap(const ShareRow& share, std::size_t index) {
  return share.first <= index && index <= share.last;
}

}  // namespace

Result<void> SimulatedDatabase::check_lease(WorkerId worker) {
  notice_outage(worker);
  if (is_alive(worker)) return {};
  return std::unexpected(lost(fmt::format("worker {} has lost its lease", worker),
                              "others have what it held; it joins again as a new worker"));
}

Result<void> SimulatedDatabase::check_owner(WorkerId worker, RunKey run, const char* what) {
  if (auto alive = check_lease(worker); !alive) return alive;
  const auto open = tables_.open_runs.find(run);
  if (open != tables_.open_runs.end() && open->second.worker == worker) return {};
  return std::unexpected(lost(fmt::format("run {} is not held by worker {}", run, worker),
                              fmt::format("only the worker that holds a run {}", what)));
}

// The elements of a share whose attempt, or a later one, is not in the journal.
std::vector<std::size_t> SimulatedDatabase::open_elements(const ShareRow& share) const {
  const auto journal = tables_.journal.find(share.run);
  std::vector<std::size_t> open;
  for (std::size_t index = share.first; index <= share.last; ++index) {
    const TaskId task{share.step, index};
    const auto from = journal == tables_.journal.end()
                          ? Journal::const_iterator()
                          : journal->second.lower_bound({task, share.attempt});
    if (journal == tables_.journal.end() || from == journal->second.end() ||
        from->first.first != task)
      open.push_back(index);
  }
  return open;
}

const ShareRow* SimulatedDatabase::share_of(WorkerId worker, RunKey run, TaskId task,
                                            int attempt) const {
  for (const auto& [id, share] : tables_.shares)
    if (share.worker == worker && share.run == run && share.step == task.step &&
        share.attempt == attempt && overlap(share, task.index))
      return &share;
  return nullptr;
}

// Whether the worker holds the share with this id, and that share has the attempt.
bool SimulatedDatabase::holds_share(ShareId id, WorkerId worker, RunKey run, TaskId task,
                                    int attempt) const {
  const auto found = tables_.shares.find(id);
  return found != tables_.shares.end() && &found->second == share_of(worker, run, task, attempt);
}

void SimulatedDatabase::notify_share_owner(RunKey run, ShareNewsRow news) {
  tables_.share_news.emplace(++last_share_news_, std::move(news));
  if (const auto open = tables_.open_runs.find(run);
      open != tables_.open_runs.end() && open->second.worker)
    environment_.notify_worker(*open->second.worker);
}

Result<Helpers> SimulatedDatabase::helpers_for(WorkerId worker, RunKey run) {
  Helpers helpers;
  const auto owned = tables_.open_runs.contains(run);
  for (const auto& [id, each] : tables_.workers) {
    if (id == worker || !is_alive(id) || helpers.slots.size() == 32) continue;
    const auto serving = tables_.serving.find(id);
    const auto serves = [&](VersionId version) {
      const auto served = serving->second.find(version);
      return served != serving->second.end() && !served->second.barred;
    };
    const bool idle = each.idle && owned && serving != tables_.serving.end() &&
                      serves(tables_.runs.at(run).version);
    const bool helps = std::ranges::any_of(tables_.shares, [&, helper = id](const auto& entry) {
      return entry.second.worker == helper && entry.second.run == run;
    });
    if (!idle && !helps) continue;
    helpers.slots.push_back(each.identity.slots);
    helpers.async_calls.push_back(each.identity.async_calls);
  }
  for (const auto& [id, share] : tables_.shares)
    if (share.run == run && !share.worker) ++helpers.available;
  return helpers;
}

Result<void> SimulatedDatabase::offer_shares(WorkerId worker, RunKey run,
                                             const std::vector<OfferedRange>& ranges) {
  commits(false);
  if (auto owned = check_owner(worker, run, "shares it"); !owned) return owned;
  witness_->offered(run);
  const RunRow& row = tables_.runs.at(run);
  bool made = false;
  for (const OfferedRange& range : ranges) {
    if (std::ranges::any_of(tables_.shares, [&](const auto& entry) {
          const ShareRow& share = entry.second;
          return share.run == run && share.step == range.step && share.attempt == range.attempt &&
                 share.first < range.first + range.inputs.size() && range.first <= share.last;
        }))
      continue;
    ShareRow share{.run = run,
                   .version = row.version,
                   .priority = row.priority,
                   .step = range.step,
                   .attempt = range.attempt,
                   .first = range.first,
                   .last = range.first + range.inputs.size() - 1,
                   .open = range.inputs.size(),
                   .inputs = {},
                   .worker = {}};
    for (const Json& input : range.inputs) share.inputs.push_back(as_jsonb(input));
    witness_->shared(worker, share);
    tables_.shares.emplace(++last_share_, std::move(share));
    made = true;
  }
  if (made) wake_workers();
  return {};
}

Result<std::vector<HeldRange>> SimulatedDatabase::take_back_shares(
    WorkerId worker, const std::vector<RunKey>& runs) {
  commits();
  if (auto alive = check_lease(worker); !alive) return std::unexpected(alive.error());
  const auto is_wanted = [&](const ShareRow& share) {
    const auto open = tables_.open_runs.find(share.run);
    return std::ranges::find(runs, share.run) != runs.end() && open != tables_.open_runs.end() &&
           open->second.worker == worker;
  };
  std::erase_if(tables_.shares,
                [&](const auto& entry) { return !entry.second.worker && is_wanted(entry.second); });
  std::vector<HeldRange> held;
  for (const auto& [id, share] : tables_.shares)
    if (is_wanted(share))
      held.push_back({.share = id,
                      .run = share.run,
                      .step = share.step,
                      .attempt = share.attempt,
                      .first = share.first,
                      .last = share.last});
  return held;
}

Result<std::vector<ShareResult>> SimulatedDatabase::fetch_share_results(
    WorkerId worker, const std::vector<RunKey>& runs,
    const std::vector<std::int64_t>& acknowledged) {
  commits(!acknowledged.empty());
  if (auto alive = check_lease(worker); !alive) return std::unexpected(alive.error());
  const auto is_owned = [&](RunKey run) {
    const auto open = tables_.open_runs.find(run);
    return open != tables_.open_runs.end() && open->second.worker == worker;
  };
  for (const std::int64_t id : acknowledged)
    if (const auto news = tables_.share_news.find(id);
        news != tables_.share_news.end() && is_owned(news->second.run))
      tables_.share_news.erase(news);
  std::vector<ShareResult> results;
  std::vector<std::int64_t> told;
  for (const auto& [id, news] : tables_.share_news) {
    if (std::ranges::find(runs, news.run) == runs.end() || !is_owned(news.run)) continue;
    told.push_back(id);
    for (const std::size_t index : news.indexes)
      if (const auto row = tables_.journal[news.run].find({{news.step, index}, news.attempt});
          row != tables_.journal[news.run].end())
        results.push_back({.notification = id, .run = news.run, .row = row->second.row});
  }
  if (environment_.mistake == Mistake::share_results_told_once)
    for (const std::int64_t id : told) tables_.share_news.erase(id);
  return results;
}

Result<void> SimulatedDatabase::drop_shares(WorkerId worker, RunKey run, std::size_t step) {
  commits();
  if (auto owned = check_owner(worker, run, "drops its shares"); !owned) return owned;
  for (const auto& [id, share] : tables_.shares)
    if (share.run == run && share.step == step && is_locked(share))
      return std::unexpected(locked());
  end_shares(run, step);
  return {};
}

void SimulatedDatabase::end_shares(RunKey run, std::optional<std::size_t> step) {
  const auto is_ending = [&](const ShareRow& share) {
    return share.run == run && (!step || share.step == *step);
  };
  std::set<WorkerId> helpers;
  for (const auto& [id, share] : tables_.shares)
    if (is_ending(share) && share.worker) helpers.insert(*share.worker);
  for (const WorkerId helper : helpers)
    for (const InFlightTask& task : tables_.workers.at(helper).in_flight) {
      const ShareRow* const share = share_of(helper, task.run, task.task, task.attempt);
      if (share == nullptr || !is_ending(*share)) continue;
      if (tables_.journal[run].contains({task.task, task.attempt})) continue;
      append(run,
             {.task = task.task,
              .attempt = task.attempt,
              .outcome = Outcome::cancelled,
              .error_code = "run_ended",
              .error = "the run ended while this ran",
              .started_at = share->taken_at,
              .ended_at = now()},
             helper, !step);
    }
  std::erase_if(tables_.shares, [&](const auto& entry) { return is_ending(entry.second); });
  if (!step)
    std::erase_if(tables_.share_news, [&](const auto& entry) { return entry.second.run == run; });
  for (const WorkerId helper : helpers) environment_.notify_worker(helper);
}

Result<std::vector<TakenShare>> SimulatedDatabase::take_shares(
    WorkerId worker, const std::vector<VersionId>& versions, std::size_t count,
    const std::vector<RunKey>& known_runs) {
  commits(false);
  if (auto alive = check_lease(worker); !alive) return std::unexpected(alive.error());
  std::vector<std::pair<int, ShareId>> candidates;
  for (const auto& [id, share] : tables_.shares) {
    const auto open = tables_.open_runs.find(share.run);
    if ((!share.worker || environment_.mistake == Mistake::shares_taken_twice) &&
        std::ranges::find(versions, share.version) != versions.end() &&
        !tables_.flows.at(version(share.version).flow).paused && open != tables_.open_runs.end() &&
        tables_.runs.at(share.run).version == share.version)
      candidates.emplace_back(-share.priority, id);
  }
  std::ranges::sort(candidates);
  candidates.resize(std::min(candidates.size(), count));
  std::vector<TakenShare> taken;
  std::set<RunKey> known(known_runs.begin(), known_runs.end());
  for (const auto& [priority, id] : candidates) {
    ShareRow& share = tables_.shares.at(id);
    const std::vector<std::size_t> indexes = open_elements(share);
    if (indexes.empty()) {
      tables_.shares.erase(id);
      continue;
    }
    witness_->taken(worker, share);
    share.worker = worker;
    share.taken_at = now();
    share.open = indexes.size();
    const RunRow& row = tables_.runs.at(share.run);
    TakenShare each{.share = id,
                    .run = share.run,
                    .run_id = row.id,
                    .version = share.version,
                    .step = share.step,
                    .attempt = share.attempt,
                    .indexes = indexes,
                    .inputs = {},
                    .run_input = {}};
    for (const std::size_t index : indexes)
      each.inputs.push_back(share.inputs[index - share.first]);
    if (known.insert(share.run).second) each.run_input = row.input;
    taken.push_back(std::move(each));
  }
  return taken;
}

std::vector<ShareId> SimulatedDatabase::held_shares(WorkerId worker) const {
  std::vector<ShareId> held;
  for (const auto& [id, share] : tables_.shares)
    if (share.worker == worker) held.push_back(id);
  return held;
}

Result<std::size_t> SimulatedDatabase::settle_share(WorkerId worker, ShareId id,
                                                    const std::vector<JournalRow>& rows) {
  commits();
  if (auto alive = check_lease(worker); !alive) return std::unexpected(alive.error());
  const auto found = tables_.shares.find(id);
  if (found == tables_.shares.end() || found->second.worker != worker)
    return std::unexpected(
        lost(fmt::format("share {} is not held by worker {}", id, worker),
             "its run ended, or another worker has what is left of it: stop running it"));
  ShareRow& share = found->second;
  for (const JournalRow& row : rows)
    if (row.task.step != share.step || row.attempt != share.attempt ||
        !overlap(share, row.task.index))
      return std::unexpected(
          sim_error(ErrorCode::invalid_input, "invalid_input",
                    fmt::format("index {} is not in the share, which goes from {} to {}",
                                row.task.index, share.first, share.last),
                    "see the comment of weir.settle_share"));
  const RunKey run = share.run;
  for (const JournalRow& row : rows)
    for (const auto& [settlement, each] : tables_.settlements)
      if (each.run == run && each.row.task == row.task && each.row.attempt == row.attempt)
        return std::unexpected(locked());
  witness_->commit_begins();
  ShareNewsRow news{.run = run, .step = share.step, .attempt = share.attempt, .indexes = {}};
  for (const JournalRow& row : rows) {
    if (tables_.journal[run].contains({row.task, row.attempt})) continue;
    append(run, in_own_time(row), worker, false);  // what its owner will read
    news.indexes.push_back(row.task.index);
  }
  share.open = news.indexes.size() < rows.size() ? open_elements(share).size()
                                                 : share.open - news.indexes.size();
  const std::size_t open = share.open;
  if (open == 0) tables_.shares.erase(id);
  if (!news.indexes.empty()) notify_share_owner(run, std::move(news));
  return open;
}

Result<void> SimulatedDatabase::return_share(WorkerId worker, ShareId id, std::size_t from) {
  commits();
  if (auto alive = check_lease(worker); !alive) return alive;
  const auto found = tables_.shares.find(id);
  if (found == tables_.shares.end() || found->second.worker != worker || from > found->second.last)
    return {};
  ShareRow& share = found->second;
  const RunKey run = share.run;
  if (is_locked(share)) return std::unexpected(locked());
  if (from <= share.first) {
    share.worker.reset();
    auto moved = tables_.shares.extract(found);  // the call may be committed late, again
    moved.key() = ++last_share_;
    tables_.shares.insert(std::move(moved));
  } else {
    const auto split = share.inputs.begin() + static_cast<std::ptrdiff_t>(from - share.first);
    ShareRow rest = share;
    rest.first = from;
    rest.open = rest.last - from + 1;
    rest.inputs.assign(split, share.inputs.end());
    rest.worker.reset();
    tables_.shares.emplace(++last_share_, std::move(rest));
    share.last = from - 1;
    share.inputs.erase(split, share.inputs.end());
    share.open = open_elements(share).size();
    if (share.open == 0) tables_.shares.erase(id);
  }
  if (const auto open = tables_.open_runs.find(run);
      open != tables_.open_runs.end() && open->second.worker)
    environment_.notify_worker(*open->second.worker);
  wake_workers();
  return {};
}

// When a worker ends: others can take what it has not settled of its shares.
void SimulatedDatabase::release_shares(WorkerId worker) {
  bool freed = false;
  std::set<WorkerId> owners;
  for (auto& [id, share] : tables_.shares) {
    if (share.worker != worker || is_locked(share)) continue;
    ShareNewsRow news{
        .run = share.run, .step = share.step, .attempt = share.attempt, .indexes = {}};
    for (std::size_t index = share.first; index <= share.last; ++index)
      if (const auto row = tables_.journal[share.run].find({{share.step, index}, share.attempt});
          row != tables_.journal[share.run].end() && row->second.worker == worker)
        news.indexes.push_back(index);
    if (!news.indexes.empty()) tables_.share_news.emplace(++last_share_news_, std::move(news));
    share.worker.reset();
    freed = true;
    if (const auto open = tables_.open_runs.find(share.run);
        open != tables_.open_runs.end() && open->second.worker)
      owners.insert(*open->second.worker);
  }
  for (const WorkerId owner : owners) environment_.notify_worker(owner);
  if (freed) wake_workers();
}

}  // namespace weir::simulation

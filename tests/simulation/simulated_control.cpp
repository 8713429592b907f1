// Commands of people and notifications of other runs: what cancel.sql, cancel_runs.sql,
// cancel_children.sql, signal.sql, retry.sql, set_paused.sql and notify_runs.sql do.
#include <algorithm>
#include <set>

#include <fmt/core.h>

#include "simulation/jsonb.hpp"
#include "simulation/simulated_database.hpp"

namespace weir::simulation {

Result<RunKey> SimulatedDatabase::find_run(const std::string& id) const {
  const auto found = tables_.run_ids.find(id);
  if (found == tables_.run_ids.end())
    return std::unexpected(sim_error(ErrorCode::not_found, "not_found",
                                     fmt::format("no run {} in this database", id),
                                     "weir.runs lists the runs"));
  return found->second;
}

Result<bool> SimulatedDatabase::cancel(const std::string& id, const std::string& reason) {
  const auto run = find_run(id);
  if (!run) return std::unexpected(run.error());
  commits();
  if (!tables_.open_runs.contains(*run)) return false;
  if (is_locked_tree(*run)) return std::unexpected(locked());
  cancel_runs({*run}, reason);
  return true;
}

std::vector<RunKey> SimulatedDatabase::open_children(RunKey run) const {
  std::vector<RunKey> found;
  for (auto each = tables_.children.lower_bound({run, 0, 0});
       each != tables_.children.end() && each->first.run == run; ++each)
    if (tables_.open_runs.contains(each->second)) found.push_back(each->second);
  return found;
}

// Runs that no worker owns end immediately, with their children; of the others the worker is
// notified.
void SimulatedDatabase::cancel_runs(const std::vector<RunKey>& runs, const std::string& reason) {
  constexpr const char* with_parent = "its parent run was cancelled";
  const std::set<RunKey> requested(runs.begin(), runs.end());
  std::vector<RunKey> reached(runs.begin(), runs.end());
  std::set<RunKey> notified;
  std::vector<RunKey> closed;
  for (std::size_t i = 0; i < reached.size(); ++i) {
    const RunKey run = reached[i];
    const auto open = tables_.open_runs.find(run);
    if (open == tables_.open_runs.end()) continue;
    const std::string run_reason = requested.contains(run) ? reason : with_parent;
    if (open->second.worker) {
      if (!open->second.cancel_reason) open->second.cancel_reason = run_reason;
      notified.insert(run);
      continue;
    }
    for (const RunKey child : open_children(run)) reached.push_back(child);
    if (const auto& parent = tables_.runs.at(run).parent) notified.insert(parent->run);
    close(run, {.status = RunStatus::cancelled, .error = run_reason});
    closed.push_back(run);
  }
  notify_runs({notified.begin(), notified.end()});
  number_child_ends(closed);
}

void SimulatedDatabase::cancel_children(const std::vector<RunKey>& parents) {
  for (const RunKey parent : parents)
    if (const auto children = open_children(parent); !children.empty())
      cancel_runs(children, tables_.runs.at(parent).status == RunStatus::failed
                                ? "its parent run failed"
                            : tables_.runs.at(parent).status == RunStatus::completed
                                ? "its parent run completed without it"
                                : "its parent run was cancelled");
}

void SimulatedDatabase::notify_runs(const std::vector<RunKey>& runs) {
  std::set<WorkerId> workers;
  bool unowned = false;
  for (const RunKey run : runs) {
    const auto found = tables_.open_runs.find(run);
    if (found == tables_.open_runs.end()) continue;
    OpenRunRow& open = found->second;
    ++open.news;
    if (open.worker) {
      workers.insert(*open.worker);
    } else {
      unowned = true;
      if (open.claims > 0) open.wake_at.reset();
    }
  }
  for (const WorkerId worker : workers) environment_.notify_worker(worker);
  if (unowned) wake_workers();
}

// The ends of child runs have the number of the notification that their parents were just sent.
void SimulatedDatabase::number_child_ends(const std::vector<RunKey>& ended) {
  for (const RunKey run : ended) {
    RunRow& child = tables_.runs.at(run);
    if (!child.parent) continue;
    if (const auto parent = tables_.open_runs.find(child.parent->run);
        parent != tables_.open_runs.end())
      child.parent_news = parent->second.news;
  }
}

Result<bool> SimulatedDatabase::signal(const std::string& id, const std::string& name,
                                       const Json& payload) {
  const auto run = find_run(id);
  if (!run) return std::unexpected(run.error());
  commits();
  const FlowDefinition& definition = *version(tables_.runs.at(*run).version).definition;
  std::set<std::string> names;
  std::vector<std::size_t> waits;
  for (std::size_t step = 0; step < definition.steps().size(); ++step)
    if (definition.steps()[step].kind == StepKind::wait) {
      names.insert(definition.steps()[step].signal);
      if (definition.steps()[step].signal == name) waits.push_back(step);
    }
  if (waits.empty()) {
    std::string hint;
    for (const std::string& each : names) hint += (hint.empty() ? "it waits for: " : ", ") + each;
    return std::unexpected(sim_error(ErrorCode::not_found, "not_found",
                                     fmt::format("run {} waits for no signal \"{}\"", id, name),
                                     hint.empty() ? "its flow has no wait step" : hint));
  }
  const Journal& rows = tables_.journal[*run];
  const auto open_wait = std::ranges::find_if(waits, [&](std::size_t step) {
    return !tables_.closed_waits.contains({*run, step}) &&
           std::ranges::none_of(rows,
                                [&](const auto& row) { return row.first.first.step == step; });
  });
  const auto was_sent = [&](std::size_t step) { return tables_.signals.contains({*run, step}); };
  const bool over = open_wait == waits.end();
  if (over ? std::ranges::any_of(waits, was_sent) : was_sent(*open_wait)) return false;
  if (over || !tables_.open_runs.contains(*run))
    return std::unexpected(
        sim_error(ErrorCode::conflict, "run_over",
                  over ? fmt::format("the wait of run {} for signal \"{}\" is over", id, name)
                       : fmt::format("run {} is over", id),
                  "a signal counts until its wait has ended"));
  tables_.signals.emplace(
      std::pair(*run, *open_wait),
      SentSignal{.payload = as_jsonb(payload), .news = tables_.open_runs.at(*run).news + 1});
  notify_runs({*run});
  return true;
}

Result<std::map<std::pair<RunKey, std::size_t>, std::optional<Json>>>
SimulatedDatabase::close_waits(WorkerId worker,
                               const std::vector<std::pair<RunKey, std::size_t>>& waits) {
  commits();
  notice_outage(worker);
  if (!is_alive(worker))
    return std::unexpected(sim_error(ErrorCode::lease_lost, "lease_lost",
                                     fmt::format("worker {} has lost its lease", worker), ""));
  std::map<std::pair<RunKey, std::size_t>, std::optional<Json>> closed;
  for (const auto& wait : waits) {
    const auto open = tables_.open_runs.find(wait.first);
    if (open == tables_.open_runs.end() || open->second.worker != worker) continue;
    const auto signal = tables_.signals.find(wait);
    if (signal == tables_.signals.end()) tables_.closed_waits.insert(wait);
    closed.emplace(wait, signal == tables_.signals.end() ? std::nullopt
                                                         : std::optional(signal->second.payload));
  }
  return closed;
}

Result<std::int64_t> SimulatedDatabase::retry(const std::string& id) {
  const auto run = find_run(id);
  if (!run) return std::unexpected(run.error());
  commits();
  RunRow& row = tables_.runs.at(*run);
  if (!row.status || *row.status == RunStatus::completed)
    return std::unexpected(
        sim_error(ErrorCode::conflict, "run_not_failed",
                  fmt::format("run {} is {}", id, row.status ? "completed" : "not over"),
                  "a failed or a cancelled run can be retried"));

  std::set<std::size_t> skipped;
  std::map<TaskId, std::pair<bool, StoredRow>> last;  // first: whether it has ever completed
  for (const auto& [key, stored] : tables_.journal[*run]) {
    if (stored.row.outcome == Outcome::skipped) skipped.insert(key.first.step);
    auto& task = last[key.first];
    task = {task.first || stored.row.outcome == Outcome::completed, stored};
  }
  std::map<TaskId, int> to_retry;  // with the attempt of the row that says so
  for (const auto& [task, entry] : last) {
    const auto& [completed, stored] = entry;
    const Outcome outcome = stored.row.outcome;
    const bool failed = outcome == Outcome::failed || outcome == Outcome::failed_for_good ||
                        outcome == Outcome::timed_out || outcome == Outcome::lost;
    if (!completed && failed && !skipped.contains(task.step))
      to_retry.emplace(task, stored.row.attempt + 1);
  }
  // Flow steps whose child runs ended with the run, before the worker was notified of that.
  for (auto each = tables_.children.lower_bound({*run, 0, 0});
       each != tables_.children.end() && each->first.run == *run; ++each) {
    const auto& [parent, child] = *each;
    const auto open = tables_.open_runs.find(child);
    const bool ends = open == tables_.open_runs.end()
                          ? tables_.runs.at(child).status != RunStatus::completed
                          : open->second.cancel_reason.has_value();
    const TaskId task{parent.step, 0};
    const auto last_row = last.find(task);
    if (ends && !skipped.contains(parent.step) &&
        (last_row == last.end() || last_row->second.second.row.attempt < parent.attempt))
      to_retry.emplace(task, parent.attempt);
  }
  for (const auto& [task, attempt] : to_retry)
    if (environment_.mistake != Mistake::retry_keeps_charges)
      append(*run,
             {.task = task,
              .attempt = attempt,
              .outcome = Outcome::retried,
              .started_at = now(),
              .ended_at = now()},
             0);
  row.version = adopted(row.version);
  row.status.reset();
  row.output.reset();
  row.error.clear();
  row.note.clear();
  row.failed_step.reset();
  row.ended_at.reset();
  row.parent_news = 0;
  for (auto each = tables_.children.lower_bound({*run, 0, 0});
       each != tables_.children.end() && each->first.run == *run; ++each)
    tables_.runs.at(each->second).parent_news = 1;
  for (auto each = tables_.signals.lower_bound({*run, 0});
       each != tables_.signals.end() && each->first.first == *run; ++each)
    each->second.news = 1;
  OpenRunRow open;
  open.claims = row.started_at ? 1 : 0;  // it has a journal to read, if it was begun
  open.news = 1;                         // and signals to send
  open.started_at = row.started_at;
  tables_.open_runs.emplace(*run, std::move(open));
  witness_->opened(*run);
  wake_workers();
  return static_cast<std::int64_t>(to_retry.size());
}

Result<bool> SimulatedDatabase::set_paused(const std::string& slug, bool paused) {
  commits();
  for (auto& [id, row] : tables_.flows) {
    if (row.slug != slug) continue;
    if (std::exchange(row.paused, paused) == paused) return false;
    for (const auto& [worker, each] : tables_.workers)
      if (is_alive(worker)) environment_.notify_worker(worker);
    return true;
  }
  return std::unexpected(unknown_flow(slug, {}));
}

}  // namespace weir::simulation

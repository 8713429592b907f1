// What handlers settle in transactions of their own (C9): what settle.sql and resolve_settlement.sql
// do. A transaction stays open until its handler ends it; until then others cannot see what it did,
// and what it has locked stays locked: the run, or the share, that the attempt is of.
#include <algorithm>

#include <fmt/core.h>

#include "simulation/jsonb.hpp"
#include "simulation/simulated_database.hpp"

namespace weir::simulation {
namespace {

Error refused(std::string message) {
  return sim_error(ErrorCode::lease_lost, "lease_lost", std::move(message),
                   "another worker has the attempt: stop this one");
}

}  // namespace

Result<SettlementId> SimulatedDatabase::settle(WorkerId worker, RunKey run, ShareId share,
                                               TaskId task, int attempt, const Json& output,
                                               Time started_at, Time settle_until) {
  const auto open = tables_.open_runs.find(run);
  const bool owned = open != tables_.open_runs.end() && open->second.worker == worker;
  const bool shared = holds_share(share, worker, run, task, attempt);
  if (!(share == 0 ? owned : shared) || !may_settle(worker))
    return std::unexpected(
        refused(fmt::format("worker {} has lost its lease, or run {}", worker, run)));
  if (now() >= settle_until)
    return std::unexpected(
        refused(fmt::format("attempt {} of run {} has timed out", attempt, run)));
  const auto& steps = version(tables_.runs.at(run).version).definition->steps();
  for (const StepDefinition& step : steps)
    if (step.kind == StepKind::map && step.depends_on == std::vector{task.step} &&
        steps[task.step].kind != StepKind::map && output.type() != JsonType::array)
      return std::unexpected(sim_error(
          ErrorCode::invalid_input, "invalid_input",
          fmt::format("step \"{}\" maps over the output of \"{}\", which is {}, not an array",
                      step.slug.view(), steps[task.step].slug.view(), described(output.type())),
          "give one element for each task"));
  if (tables_.journal[run].contains({task, attempt}))
    return std::unexpected(
        refused(fmt::format("attempt {} of run {} was settled before", attempt, run)));
  tables_.settlements.emplace(++last_settlement_,
                              OpenSettlementRow{.worker = worker,
                                                .run = run,
                                                .row = {.task = task,
                                                        .attempt = attempt,
                                                        .output = as_jsonb(output),
                                                        .started_at = started_at,
                                                        .ended_at = now()},
                                                .owned = owned,
                                                .shared = shared});
  return last_settlement_;
}

// The handler's own row becomes visible with that of the journal, or neither does.
bool SimulatedDatabase::end_settlement(SettlementId id, bool commit) {
  const auto found = tables_.settlements.extract(id);
  if (found.empty() || !commit) return !found.empty();
  commits();
  const OpenSettlementRow& settled = found.mapped();
  witness_->commit_begins();
  tables_.effects.emplace(settled.run, settled.row.task, settled.row.attempt);
  append(settled.run, settled.row, settled.worker, false);
  if (settled.shared)
    notify_share_owner(settled.run, {.run = settled.run,
                                     .step = settled.row.task.step,
                                     .attempt = settled.row.attempt,
                                     .indexes = {settled.row.task.index}});
  witness_->settled(settled.run, settled.row.task, settled.row.attempt);
  return true;
}

Result<std::optional<JournalRow>> SimulatedDatabase::resolve(WorkerId worker,
                                                             const SettledAttempt& otherwise) {
  commits();
  notice_outage(worker);
  const RowKey key{otherwise.row.task, otherwise.row.attempt};
  Journal& rows = tables_.journal[otherwise.run];
  if (!rows.contains(key)) {
    if (auto owned = check_owner(worker, otherwise.run, "settles it"); !owned)
      return std::unexpected(owned.error());
    if (environment_.mistake != Mistake::resolve_guesses && is_locked(otherwise.run))
      return std::nullopt;
    witness_->commit_begins();
    append(otherwise.run, in_own_time(otherwise.row), worker, false);
  }
  return rows.at(key).row;
}

bool SimulatedDatabase::is_locked(RunKey run) const {
  return environment_.mistake != Mistake::sweep_ignores_settlements &&
         std::ranges::any_of(tables_.settlements, [&](const auto& each) {
           return each.second.owned && each.second.run == run;
         });
}

bool SimulatedDatabase::is_locked(const ShareRow& share) const {
  return environment_.mistake != Mistake::sweep_ignores_settlements &&
         std::ranges::any_of(tables_.settlements, [&](const auto& entry) {
           const OpenSettlementRow& each = entry.second;
           return each.shared && each.worker == share.worker && each.run == share.run &&
                  each.row.task.step == share.step && share.first <= each.row.task.index &&
                  each.row.task.index <= share.last;
         });
}

// Whether a handler's transaction has locked something that ends with the run.
bool SimulatedDatabase::is_locked_tree(RunKey run) const {
  if (tables_.settlements.empty()) return false;
  return is_locked(run) ||
         std::ranges::any_of(
             tables_.shares,
             [&](const auto& each) { return each.second.run == run && is_locked(each.second); }) ||
         std::ranges::any_of(open_children(run),
                             [&](RunKey child) { return is_locked_tree(child); });
}

Error SimulatedDatabase::locked() {
  return sim_error(ErrorCode::unavailable, "try_again", "the transaction of a handler is open", "");
}

}  // namespace weir::simulation

#include "simulation/upkeep_judge.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace weir::simulation {
namespace {

double seconds_of(Time time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace

void UpkeepJudge::scheduled(const SimulatedDatabase& database, const std::string& name) {
  const Duration every = database.tables().schedules.at(name).every;
  expected_[name] = Time((database.now().time_since_epoch() / every + 1) * every);
}

// Each tick starts one run. Between two of them are only ticks that nobody started in time; of
// these the first is started where the schedule says so.
void UpkeepJudge::ticked(const SimulatedDatabase& database, const std::string& name, Time tick,
                         bool created, const Violated& violated) {
  const ScheduleRow& schedule = database.tables().schedules.at(name);
  const auto wrong = [&](const char* why) {
    violated(fmt::format("C5: schedule {}: the tick of {:.0f} s {}", name, seconds_of(tick), why));
  };
  const Time late = database.now() - schedule_grace;
  if (schedule.paused) wrong("is started while the schedule is paused");
  if (tick > database.now()) wrong("is started before its time");
  if (tick <= late && !schedule.runs_missed) wrong("is started though it was missed");
  if (!created || !started_.emplace(name, tick).second) wrong("is started a second time");
  Time& expected = expected_.at(name);
  if (tick > expected && (schedule.runs_missed || expected > late))
    wrong("is started before an earlier one");
  if (tick > expected && tick - schedule.every > late) wrong("is not the next one that is on time");
  expected = tick + schedule.every;
  if (tick <= late)  // for all that were missed
    while (expected <= late) expected += schedule.every;
}

void UpkeepJudge::check_all_ticked(const SimulatedDatabase& database,
                                   const Violated& violated) const {
  const Tables& tables = database.tables();
  for (const auto& [name, expected] : expected_)
    if (!tables.schedules.at(name).paused && expected <= database.now() &&
        expected > database.now() - schedule_grace)
      violated(fmt::format("C5: schedule {}: the tick of {:.0f} s is not started", name,
                           seconds_of(expected)));
}

void UpkeepJudge::prunes(const SimulatedDatabase& database, RunKey run, Duration age,
                         const Violated& violated) {
  ++deleted_;
  const RunRow& row = database.tables().runs.at(run);
  if (!row.status || database.tables().open_runs.contains(run))
    violated(fmt::format("C7: run {} is deleted and open", run));
  // A child run goes with its parent, whatever its own age is.
  else if (!row.parent && *row.ended_at >= database.now() - age)
    violated(fmt::format("C7: run {} is deleted before its time", run));
}

void UpkeepJudge::pruned(const SimulatedDatabase& database, RunKey run, const Violated& violated) {
  const Tables& tables = database.tables();
  const bool has_child =
      std::ranges::any_of(tables.children, [&](const auto& each) { return each.first.run == run; });
  const bool has_key =
      std::ranges::any_of(tables.idempotency, [&](const auto& each) { return each.second == run; });
  const bool is_shared =
      std::ranges::any_of(tables.shares, [&](const auto& each) { return each.second.run == run; });
  const auto rows = tables.journal.find(run);
  if (has_child || has_key || is_shared || (rows != tables.journal.end() && !rows->second.empty()))
    violated(fmt::format("C7: run {} is deleted, and something of it is left", run));
}

}  // namespace weir::simulation

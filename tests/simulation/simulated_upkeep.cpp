// What happens without a request: what tick.sql, prune_batch.sql and delete_runs.sql do. All schedules
// are of the form @every; whole partitions are not simulated.
#include <algorithm>

#include <fmt/core.h>

#include "simulation/simulated_database.hpp"

namespace weir::simulation {

using namespace std::chrono_literals;

namespace {

// The first whole multiple of `every` since 1970 after `time`.
Time next_tick(Duration every, Time time) {
  return Time((time.time_since_epoch() / every + 1) * every);
}

}  // namespace

void SimulatedDatabase::put_schedule(const std::string& name, ScheduleRow row) {
  commits();
  row.next_at = next_tick(row.every, now());
  tables_.schedules.insert_or_assign(name, std::move(row));
  witness_->scheduled(name);
}

TickReport SimulatedDatabase::tick() {
  commits();
  TickReport report{.started = 0, .now = now(), .next_at = {}};
  for (auto& [name, schedule] : tables_.schedules) {
    if (schedule.paused) continue;
    Time tick = schedule.next_at;
    while (tick <= now()) {
      const bool on_time = tick > now() - schedule_grace;
      if (on_time || schedule.runs_missed || environment_.mistake == Mistake::skips_no_tick) {
        const auto seconds =
            std::chrono::duration_cast<std::chrono::seconds>(tick.time_since_epoch());
        const auto run =
            start(schedule.flow, {schedule.input},
                  {.idempotency_keys = {fmt::format("schedule {} {}", name, seconds.count())}});
        if (run) {
          report.started += run->front().created;
          witness_->ticked(name, tick, run->front().created);
        }
      }
      tick = next_tick(schedule.every, std::max(tick, now() - schedule_grace));
    }
    if (environment_.mistake == Mistake::ticks_unrecorded && environment_.random() % 4 == 0)
      continue;
    schedule.next_at = tick;
    if (!report.next_at || tick < *report.next_at) report.next_at = tick;
  }
  return report;
}

// Deletes at most `batch` runs that ended longer than `age` ago, with their children. Returns after
// which run the next batch begins; nullopt: all is done.
std::optional<RunKey> SimulatedDatabase::prune(Duration age, std::size_t batch, RunKey after) {
  commits();
  std::vector<RunKey> chosen;
  RunKey last = after;
  std::size_t page = 0;
  for (auto each = tables_.runs.upper_bound(after);
       each != tables_.runs.end() && page < batch * 4 && chosen.size() < batch; ++each, ++page) {
    last = each->first;
    const RunRow& run = each->second;
    if (page == 0 && run.created_at >= now() - age) return {};
    if (run.status && *run.ended_at < now() - age &&
        (!run.parent || !tables_.runs.contains(run.parent->run)))
      chosen.push_back(each->first);
  }
  if (page == 0) return {};
  for (const RunKey root : chosen) {
    std::vector<RunKey> family = {root};
    for (std::size_t i = 0; i < family.size(); ++i)
      for (auto child = tables_.children.lower_bound({family[i], 0, 0});
           child != tables_.children.end() && child->first.run == family[i]; ++child)
        family.push_back(child->second);
    if (environment_.mistake == Mistake::prunes_parents_alone) family.resize(1);
    const bool is_open =
        std::ranges::any_of(family, [&](RunKey run) { return tables_.open_runs.contains(run); });
    if (is_open && environment_.mistake != Mistake::prunes_open_children) continue;
    for (const RunKey run : family) witness_->prunes(run, age);
    for (const RunKey run : family) delete_run(run);
    for (const RunKey run : family) witness_->pruned(run);
  }
  return last;
}

void SimulatedDatabase::delete_run(RunKey run) {
  const auto of_run = [&](const auto& each) { return each.first.first == run; };
  tables_.journal.erase(run);
  std::erase_if(tables_.signals, of_run);
  std::erase_if(tables_.closed_waits, [&](const auto& each) { return each.first == run; });
  std::erase_if(tables_.share_news, [&](const auto& each) { return each.second.run == run; });
  std::erase_if(tables_.idempotency, [&](const auto& each) { return each.second == run; });
  std::erase_if(tables_.children, [&](const auto& each) { return each.second == run; });
  tables_.run_ids.erase(tables_.runs.at(run).id);
  tables_.runs.erase(run);
}

}  // namespace weir::simulation

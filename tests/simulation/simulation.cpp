#include "simulation/simulation.hpp"

#include <fmt/core.h>

#include "simulation/schedule.hpp"

namespace weir::simulation {

using namespace std::chrono_literals;

namespace {

constexpr Duration time_limit = 20min;  // after the faults have ended; most need only seconds
constexpr std::size_t events_max = 2'000'000;

std::string described(const World& world, RunKey run, const OpenRunRow& open) {
  const auto seconds = [](Time time) {
    return fmt::format("{:.3f}", std::chrono::duration<double>(time - Stage::begin).count());
  };
  std::string text = fmt::format(
      "run {}, {}, claims {}, {} of {} notifications acknowledged, wakes {}{}", run,
      open.worker ? fmt::format("of worker {}", *open.worker) : std::string("nobody's"),
      open.claims, open.news_heard, open.news, open.wake_at ? seconds(*open.wake_at) : "at once",
      open.cancel_reason ? ", to be cancelled" : "");
  const auto& tables = world.database.tables();
  const FlowDefinition& definition =
      *world.database.version(tables.runs.at(run).version).definition;
  for (const StepDefinition& step : definition.steps()) {
    text += fmt::format("\n      {} {}:", name(step.kind), step.slug.view());
    for (const std::size_t each : step.depends_on)
      text += fmt::format(" {}", definition.steps()[each].slug.view());
  }
  if (const auto rows = tables.journal.find(run); rows != tables.journal.end())
    for (const auto& [key, stored] : rows->second)
      text +=
          fmt::format("\n      row {}[{}] #{} {} by {} at {}",
                      definition.steps()[key.first.step].slug.view(), key.first.index, key.second,
                      name(stored.row.outcome), stored.worker, seconds(stored.row.ended_at));
  return text;
}

}  // namespace

World::World(std::uint64_t seed, Mistake planted)
    : mistake(planted),
      random(seed),
      database({.now = [this] { return stage.now(); },
                .random = [this] { return random(); },
                .notify_ready = [this] { notify([](Host& host) { host.on_ready(); }); },
                .notify_worker =
                    [this](WorkerId worker) {
                      notify([worker](Host& host) { host.on_notified(worker); });
                    },
                .row_is_locked =
                    [this] {
                      const bool locked = happens(faults.row_locked, random);
                      rows_locked += locked ? 1 : 0;
                      return locked;
                    },
                .before_commit =
                    [this](bool waits) {
                      if (waits) return durable.reset();
                      if (!crash_after) return;
                      if (!durable) durable = copy();
                      crash_after();
                    },
                .mistake = planted,
                .witness = &judge}) {
  judge.watch(database);
}

void World::crash(Duration down, std::optional<Copy> standby) {
  ++database_lives;
  (standby ? failovers : crashes) += 1;
  if (durable && !standby) ++lossy_crashes;
  const bool takes_over = standby.has_value();
  const std::optional<Copy> left = takes_over ? std::move(standby) : std::move(durable);
  durable.reset();
  crash_after = {};
  database_up_at = stage.now() + down;
  if (left) judge.restore(left->judge);
  database.come_up(left ? left->tables : database.tables(), takes_over);
  judge.database_crashed(database_up_at, takes_over);
  for (Host* const host : hosts) host->after(up_to(5ms, random), [host] { host->wake(); });
}

// Notifies each host that listens: late, twice, or not at all.
void World::notify(const std::function<void(Host&)>& deliver) {
  for (Host* const host : hosts)
    for (int copies = happens(faults.notification_lost, random)      ? 0
                      : happens(faults.notification_doubled, random) ? 2
                                                                     : 1;
         copies > 0; --copies)
      host->after(up_to(happens(faults.request_slow, random) ? 3s : 2ms, random),
                  [host, deliver] { deliver(*host); });
}

Verdict simulate(std::uint64_t seed, Mistake mistake) {
  World world(seed, mistake);
  Schedule schedule(world);
  schedule.begin();
  const Time faults_end = Stage::begin + 5s + up_to(40s, world.random);
  world.stage.at(faults_end, [&] { schedule.end_faults(); });
  Verdict outcome;
  const auto is_done = [&] { return world.stage.now() > faults_end && schedule.is_over(); };
  while (!is_done() && world.judge.violations().empty()) {
    if (++outcome.tally.events > events_max || world.stage.now() > faults_end + time_limit) {
      for (const auto& [run, open] : world.database.tables().open_runs)
        world.judge.violated("a run never ends: " + described(world, run, open));
      break;
    }
    if (!world.stage.step()) {
      world.judge.violated("nothing happens any more");
      break;
    }
  }
  outcome.violations = world.judge.violations();
  outcome.tally.runs = schedule.runs();
  outcome.tally.attempts = world.judge.attempts();
  outcome.tally.shares = world.judge.shares();
  outcome.tally.limited_claims = world.judge.limited_claims();
  outcome.tally.ticks = world.judge.upkeep().ticks();
  outcome.tally.deleted_runs = world.judge.upkeep().deleted();
  outcome.tally.rows_locked = world.rows_locked;
  outcome.tally.large_writes = world.large_writes;
  outcome.tally.withdrawn_writes = world.withdrawn_writes;
  outcome.tally.overlapped_exchanges = world.overlapped_exchanges;
  outcome.tally.crashes = world.crashes;
  outcome.tally.lossy_crashes = world.lossy_crashes;
  outcome.tally.failovers = world.failovers;
  outcome.tally.resumed = world.judge.resumptions();
  outcome.tally.settlements = world.judge.settlements();
  outcome.tally.deferred = world.deferred;
  outcome.tally.refused_completions = world.refused_completions;
  outcome.virtual_seconds = std::chrono::duration<double>(world.stage.now() - Stage::begin).count();
  return outcome;
}

}  // namespace weir::simulation

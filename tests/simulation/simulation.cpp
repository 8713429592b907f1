#include "simulation/simulation.hpp"

#include <fmt/core.h>

#include "simulation/schedule.hpp"

namespace weir::simulation {

using namespace std::chrono_literals;

namespace {

constexpr Duration patience = 20min;  // after the weather cleared up; most need seconds
constexpr std::size_t events_max = 2'000'000;

}  // namespace

World::World(std::uint64_t seed, Mistake mistake)
    : random(seed),
      database({.now = [this] { return stage.now(); },
                .random = [this] { return random(); },
                .ready = [this] { notify([](Host& host) { host.hears_ready(); }); },
                .told =
                    [this](WorkerId worker) {
                      notify([worker](Host& host) { host.hears_told(worker); });
                    },
                .mistake = mistake,
                .witness = &judge}) {
  judge.watch(database);
}

// To each host that listens: late, twice, or not at all.
void World::notify(const std::function<void(Host&)>& hear) {
  for (Host* const host : hosts)
    for (int copies = happens(weather.notice_lost, random)      ? 0
                      : happens(weather.notice_doubled, random) ? 2
                                                                : 1;
         copies > 0; --copies)
      host->after(up_to(happens(weather.call_slow, random) ? 3s : 2ms, random),
                  [host, hear] { hear(*host); });
}

Verdict simulate(std::uint64_t seed, Mistake mistake) {
  World world(seed, mistake);
  Schedule schedule(world);
  schedule.begin();
  const Time storm_ends = Stage::begin + 5s + up_to(40s, world.random);
  world.stage.at(storm_ends, [&] { schedule.clears_up(); });
  Verdict outcome;
  const auto is_done = [&] { return world.stage.now() > storm_ends && schedule.is_over(); };
  while (!is_done() && world.judge.violations().empty()) {
    if (++outcome.events > events_max || world.stage.now() > storm_ends + patience) {
      std::string open;
      for (const auto& [run, row] : world.database.tables().open_runs)
        open += fmt::format(" {}", run);
      world.judge.violated("a run never ends:" + open);
      break;
    }
    if (!world.stage.step()) {
      world.judge.violated("nothing happens any more");
      break;
    }
  }
  outcome.violations = world.judge.violations();
  outcome.runs = schedule.runs();
  outcome.attempts = world.judge.attempts();
  outcome.virtual_seconds = std::chrono::duration<double>(world.stage.now() - Stage::begin).count();
  return outcome;
}

}  // namespace weir::simulation

// What the engine does with handlers that do nothing, beside a floor (a program that does the same
// work with hand-written SQL) and beside its peers. Rounds of all are interleaved, so that a slow
// moment of the machine meets all of them; the table shows medians, and ratios of them.
// script/bench builds and runs it.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "bench/engine/drained.hpp"
#include "bench/engine/latency.hpp"
#include "bench/engine/meter.hpp"
#include "bench/engine/options.hpp"
#include "bench/engine/peers.hpp"
#include "bench/engine/program.hpp"
#include "bench/engine/report.hpp"
#include "bench/measure/machine.hpp"
#include "bench/required.hpp"
#include "store/local/local_postgres.hpp"

namespace {

using namespace weir;
using namespace weir::bench;
using Shape = EmptyFlow::Shape;

class WeirSides {
 public:
  WeirSides(std::string url, std::size_t runs) : url_(std::move(url)), runs_(runs) {}

  Figures drained_runs(std::size_t steps) {
    EmptyFlow flow(steps);
    Figures figures = drained(url_, flow, runs_);
    if (steps == 1) one_step_per_s_ = figures.at("per_s");
    return figures;
  }
  /// By two workers of one process (worker.count: 2).
  Figures drained_by_two(std::size_t steps) const {
    EmptyFlow flow(steps);
    return drained(url_, flow, runs_, 2);
  }
  Figures drained_maps(std::size_t maps) const {
    EmptyFlow flow(1, Shape::map);
    return drained(url_, flow, maps);
  }
  Figures drained_by(EmptyFlow::Handler handler) const {
    EmptyFlow flow(1, Shape::chain, handler);
    return drained(url_, flow, runs_);
  }
  Figures drained_maps_by(EmptyFlow::Handler handler, std::size_t maps) const {
    EmptyFlow flow(1, Shape::map, handler);
    return drained(url_, flow, maps);
  }
  Figures starts() const { return started(url_, 2 * runs_); }
  Figures idle(std::size_t samples) const { return idle_latency(url_, samples); }

  /// At half of what the last round of 1-step runs did.
  Figures half_load() {
    if (one_step_per_s_ == 0) drained_runs(1);
    constexpr double seconds = 3;
    const double runs = std::min(seconds * one_step_per_s_ / 2, 5.0 * static_cast<double>(runs_));
    return latency_at(url_, one_step_per_s_ / 2, static_cast<std::size_t>(runs));
  }
  Figures full_load() const { return latency_at_full_load(url_, 2 * runs_); }

 private:
  std::string url_;
  std::size_t runs_;
  double one_step_per_s_ = 0;
};

std::vector<Work> works_of(const EngineOptions& options, WeirSides& weir) {
  const std::size_t maps = std::max<std::size_t>(1, options.runs / 500);
  const auto ours = [](std::function<Result<Figures>()> measure) {
    return std::vector<Side>{{.name = "Weir", .measure = std::move(measure)}};
  };
  // The same work by handlers of each kind.
  const auto by_handlers = [](const std::function<Figures(EmptyFlow::Handler)>& measure) {
    using Handler = EmptyFlow::Handler;
    const auto side = [&](const char* name, Handler handler) {
      return Side{.name = name, .measure = [=] { return measure(handler); }};
    };
    return std::vector<Side>{side("plain", Handler::plain),
                             side("completed elsewhere", Handler::deferred),
                             side("coroutine that waits", Handler::awaiting)};
  };
  std::vector<Work> works{
      {"1-step runs", "tasks/s", ours([&] { return weir.drained_runs(1); })},
      {"3-step runs", "tasks/s", ours([&] { return weir.drained_runs(3); })},
      {"map of 1,000", "tasks/s", ours([&weir, maps] { return weir.drained_maps(maps); })},
      {"starts, batched", "runs/s", ours([&] { return weir.starts(); })},
      {"idle latency", "ms", ours([&] { return weir.idle(options.samples); })},
      {"latency at half load", "ms", ours([&] { return weir.half_load(); })},
      {"latency at full load", "ms", ours([&] { return weir.full_load(); })},
      {"1-step runs, 2 workers", "tasks/s", ours([&] { return weir.drained_by_two(1); })},
      {"3-step runs, 2 workers", "tasks/s", ours([&] { return weir.drained_by_two(3); })},
      {"by handlers: 1-step runs", "tasks/s",
       by_handlers([&](EmptyFlow::Handler handler) { return weir.drained_by(handler); }), true},
      {"by handlers: map of 1,000", "tasks/s", by_handlers([&, maps](EmptyFlow::Handler handler) {
         return weir.drained_maps_by(handler, maps);
       }),
       true}};
  struct Floor {
    const char* mode;
    std::size_t batch;
    std::size_t count;
    std::size_t connections = 1;  ///< as many as Weir's workers have
  };
  const auto add_floor = [&](Work& work, const Floor& floor) {
    const std::string command = fmt::format("{} {} {} {} {}", options.floor, floor.mode,
                                            floor.batch, floor.connections, floor.count);
    work.sides.push_back(
        {.name = "floor", .measure = [command] { return figures_of_program(command); }});
  };
  if (!options.floor.empty()) {
    add_floor(works[0], {.mode = "owned1", .batch = 100, .count = options.runs});
    add_floor(works[1], {.mode = "owned3", .batch = 100, .count = options.runs});
    add_floor(works[2], {.mode = "map1000", .batch = 100, .count = maps});
    add_floor(works[4], {.mode = "latency", .batch = 1, .count = options.samples});
    add_floor(works[7], {.mode = "owned1", .batch = 100, .count = options.runs, .connections = 2});
    add_floor(works[8], {.mode = "owned3", .batch = 100, .count = options.runs, .connections = 2});
  }
  return works;
}

void measure(Side& side) {
  if (!side.left_out.empty()) return;
  auto figures = side.measure();
  if (figures) {
    side.rounds.push_back(*std::move(figures));
  } else if (side.may_be_missing) {
    side.left_out = figures.error().message;
  } else {
    fail(to_string(figures.error()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const EngineOptions options = EngineOptions::of(argc, argv);
  const LocalPostgres database = required(LocalPostgres::open(options.folder));
  ::setenv("FLOOR_CONNINFO", database.url().c_str(), 1);
  WeirSides weir(database.url(), options.runs);
  std::vector<Work> works = works_of(options, weir);
  if (!options.peers.empty())
    add_peers(works, options.peers, database.url(),
              {.runs = options.runs, .samples = options.samples});
  std::erase_if(
      works, [&](const Work& work) { return !options.only.empty() && work.name != options.only; });
  if (works.empty()) fail(fmt::format("there is no work \"{}\"", options.only));
  for (std::size_t round = 0; round < options.rounds; ++round)
    for (Work& work : works)
      for (std::size_t i = 0; i < work.sides.size(); ++i) {
        Side& side = work.sides[(i + round) % work.sides.size()];  // nobody is always first
        fmt::print(stderr, "round {} of {}: {}: {}\n", round + 1, options.rounds, work.name,
                   side.name);
        measure(side);
      }
  const auto where = machine(server_version(*required(postgres::Session::open(database.url()))));
  print_table(works, where);
  if (!options.json.empty()) write_json(options.json, works, where);
}

// How many schedules lockstep runs a second, and whether what failed fails again the same way.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <benchmark/benchmark.h>

#include <weir/testing/lockstep.hpp>

#include "cpu_time.hpp"

namespace weir::bench {
namespace {

using Counter = lockstep::Sync::Atomic<int>;

// Three tasks of ten steps each, all on one atomic.
void three_tasks() {
  Counter counter{0};
  const auto ten_steps = [&] {
    for (int i = 0; i < 10; ++i) counter.fetch_add(1, std::memory_order_relaxed);
  };
  std::array<lockstep::Sync::Thread, 3> tasks = {lockstep::Sync::Thread(ten_steps),
                                                 lockstep::Sync::Thread(ten_steps),
                                                 lockstep::Sync::Thread(ten_steps)};
  for (auto& task : tasks) task.join();
}

void schedules(benchmark::State& state) {
  constexpr std::size_t batch = 2'000;
  std::uint64_t seed = 1;
  Stopwatch all;
  for (auto _ : state) {
    Stopwatch these;
    these.time([&] { lockstep::explore({.seed = seed, .schedules = batch}, three_tasks); });
    seed += batch;
    state.SetIterationTime(these.seconds());
    all.add(these);
  }
  state.counters["figure"] = static_cast<double>(state.iterations()) * batch / all.seconds();
}
BENCHMARK(schedules)->Name("lockstep/schedules_per_second")->UseManualTime();

// Two tasks that read, add and write with a gap between: what one adds may be lost.
void lossy() {
  Counter counter{0};
  const auto add = [&] {
    for (int i = 0; i < 3; ++i)
      counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  };
  lockstep::Sync::Thread one(add);
  lockstep::Sync::Thread other(add);
  one.join();
  other.join();
  lockstep::require(counter.load(std::memory_order_relaxed) == 6, "an addition was lost");
}

// Of 1,000 failing seeds, those whose token repeats the very same schedule and trace.
void replays(benchmark::State& state) {
  constexpr std::size_t wanted = 1'000;
  for (auto _ : state) {
    std::size_t same = 0;
    lockstep::Options options{.shrink = false};
    for (std::size_t found = 0; found < wanted; ++options.seed) {
      options.schedules = 1;
      const lockstep::Report first = lockstep::explore(options, lossy);
      if (!first.failure) continue;
      ++found;
      const lockstep::Report again = lockstep::repeat(options, first.failure->token, lossy);
      if (again.failure && again.failure->message == first.failure->message &&
          again.failure->schedule == first.failure->schedule &&
          lockstep::to_string(again.failure->trace) == lockstep::to_string(first.failure->trace))
        ++same;
    }
    state.counters["figure"] = static_cast<double>(same) * 100.0 / wanted;
  }
}
BENCHMARK(replays)->Name("lockstep/replayed_percent")->Iterations(1);

}  // namespace
}  // namespace weir::bench

// What a writer's changes cost, and whether readers hold it up.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/required.hpp"
#include "cpu_time.hpp"
#include "flows.hpp"

namespace weir::bench {
namespace {

/// Threads that look up uniformly, one after the other, as fast as they can.
class BusyReaders {
 public:
  BusyReaders(const FlowRegistry& registry, const Flows& flows, std::size_t count) {
    for (std::size_t reader = 0; reader < count; ++reader)
      threads_.emplace_back([this, &registry, &flows, reader] {
        for (std::size_t i = reader * 7'919; !stop_.load(std::memory_order_relaxed); ++i)
          registry.read(flows.asked(i), [](const FlowModule& module) {
            benchmark::DoNotOptimize(module.steps.data());
          });
      });
  }
  ~BusyReaders() {
    stop_.store(true, std::memory_order_relaxed);
    for (std::thread& thread : threads_) thread.join();
  }
  BusyReaders(const BusyReaders&) = delete;
  BusyReaders& operator=(const BusyReaders&) = delete;

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

std::vector<FlowModule> rebuilt(const Flows& flows, std::size_t count, std::uint64_t& build) {
  std::vector<FlowModule> modules;
  modules.reserve(count);
  for (std::size_t i = 0; i < count; ++i, ++build)
    modules.push_back(flows.rebuilt(build * 7'919, build));
  return modules;
}

// CPU time of one replacement, with the ends of what earlier ones replaced; readers as given. The
// module itself is made before.
void publication(benchmark::State& state, std::size_t readers) {
  const Flows& flows = Flows::of(static_cast<std::size_t>(state.range(0)));
  FlowRegistry registry;
  flows.fill(registry);
  const BusyReaders busy(registry, flows, readers);
  constexpr std::size_t batch = 256;
  std::uint64_t build = 1;
  Stopwatch all;
  for (auto _ : state) {
    std::vector<FlowModule> modules = rebuilt(flows, batch, build);
    Stopwatch these;
    these.time([&] {
      for (FlowModule& module : modules) registry.register_or_throw(std::move(module));
    });
    state.SetIterationTime(these.seconds());
    all.add(these);
  }
  state.counters["figure"] = all.nanoseconds_each(static_cast<double>(state.iterations()) * batch);
}
BENCHMARK_CAPTURE(publication, alone, 0)
    ->Name("publish/alone")
    ->Arg(1'000)
    ->Arg(100'000)
    ->UseManualTime();
BENCHMARK_CAPTURE(publication, beside, 2)
    ->Name("publish/beside_2_readers")
    ->Arg(1'000)
    ->Arg(100'000)
    ->UseManualTime();

// Publications a second that a writer keeps beside two busy readers, which wants 1,000; and by the
// clock on the wall, how long one took in the middle of all and at the 99th part.
void schedule(benchmark::State& state) {
  const Flows& flows = Flows::of(static_cast<std::size_t>(state.range(0)));
  FlowRegistry registry;
  flows.fill(registry);
  const BusyReaders busy(registry, flows, 2);
  using Clock = std::chrono::steady_clock;
  constexpr std::size_t count = 500;
  std::uint64_t build = 1;
  for (auto _ : state) {
    std::vector<Clock::duration> took;
    const Clock::time_point begin = Clock::now();
    Clock::time_point next = begin;
    for (std::size_t i = 0; i < count; ++i) {
      FlowModule module = flows.rebuilt(build * 7'919, build);
      ++build;
      const auto before = Clock::now();
      registry.register_or_throw(std::move(module));
      took.push_back(Clock::now() - before);
      next += std::chrono::milliseconds(1);
      std::this_thread::sleep_until(next);
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    std::ranges::sort(took);
    state.SetIterationTime(seconds);
    state.counters["figure"] = count / seconds;
    state.counters["p50_ns"] = static_cast<double>(took[count / 2].count());
    state.counters["p99_ns"] = static_cast<double>(took[count * 99 / 100].count());
  }
}
BENCHMARK(schedule)
    ->Name("publish/schedule")
    ->Arg(1'000)
    ->Arg(100'000)
    ->UseManualTime()
    ->Iterations(1);

// 1,000 flows into an empty registry, as one commit.
void transaction(benchmark::State& state) {
  const Flows& flows = Flows::of(1'000);
  Stopwatch all;
  for (auto _ : state) {
    std::uint64_t build = 1;
    std::vector<FlowModule> modules = rebuilt(flows, flows.size(), build);
    auto registry = std::make_unique<FlowRegistry>();
    Stopwatch this_one;
    this_one.time([&] {
      FlowRegistry::Transaction changes = registry->begin();
      for (FlowModule& module : modules) changes.register_(std::move(module));
      required(changes.commit());
    });
    state.SetIterationTime(this_one.seconds());
    all.add(this_one);
  }
  state.counters["figure"] = all.nanoseconds_each(static_cast<double>(state.iterations()));
}
BENCHMARK(transaction)->Name("transaction/1000")->UseManualTime();

}  // namespace
}  // namespace weir::bench

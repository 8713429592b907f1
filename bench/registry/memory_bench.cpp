// What a registry of flows takes beside the FlowModules themselves, as malloc counts it: both
// indexes with their keys, the counts of who holds a flow, the heads of allocations. The modules
// exist before and are moved in, so what they own is on both sides of the difference.
#include <cstddef>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <malloc.h>

#include "bench/required.hpp"
#include "flows.hpp"

namespace weir::bench {
namespace {

std::size_t allocated() {
  const struct mallinfo2 all = ::mallinfo2();
  return all.uordblks + all.hblkhd;
}

double each(std::size_t before, std::size_t count) {
  return (static_cast<double>(allocated()) - static_cast<double>(before)) /
         static_cast<double>(count);
}

std::vector<FlowModule> modules_of(const Flows& flows) {
  std::vector<FlowModule> modules;
  modules.reserve(flows.size());
  for (std::size_t i = 0; i < flows.size(); ++i) modules.push_back(flows.module(i));
  return modules;
}

void registry(benchmark::State& state) {
  const Flows& flows = Flows::of(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    std::vector<FlowModule> modules = modules_of(flows);
    FlowRegistry registry;  // what it takes empty is no flow's
    const std::size_t before = allocated();
    FlowRegistry::Transaction transaction = registry.begin();
    for (FlowModule& module : modules) transaction.register_(std::move(module));
    required(transaction.commit());
    std::exchange(modules, {});
    state.counters["figure"] = each(before, flows.size());
  }
}
BENCHMARK(registry)->Name("memory/registry")->Arg(1'000)->Arg(100'000)->Iterations(1);

// The part of it that a flow takes which somebody holds and no registry knows.
void held(benchmark::State& state) {
  const Flows& flows = Flows::of(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    std::vector<FlowModule> modules = modules_of(flows);
    std::vector<FlowHandle> handles;
    handles.reserve(flows.size());
    const std::size_t before = allocated();
    for (FlowModule& module : modules) handles.emplace_back(std::move(module));
    std::exchange(modules, {});
    state.counters["figure"] = each(before, flows.size());
  }
}
BENCHMARK(held)->Name("memory/held")->Arg(1'000)->Arg(100'000)->Iterations(1);

}  // namespace
}  // namespace weir::bench

// What a registry of flows takes beside the FlowModules themselves, as malloc counts it: both
// indexes with their keys, the counts of who holds a flow, the heads of allocations. The modules
// exist before and are moved in, so what they own is on both sides of the difference.
#include <cstddef>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <malloc.h>

#include "flows.hpp"
#include "required.hpp"

namespace weir::bench {
namespace {

std::size_t allocated() {
  const struct mallinfo2 all = ::mallinfo2();
  return all.uordblks + all.hblkhd;
}

void memory(benchmark::State& state) {
  const Flows& flows = Flows::of(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    std::vector<FlowModule> modules;
    modules.reserve(flows.size());
    for (std::size_t i = 0; i < flows.size(); ++i) modules.push_back(flows.module(i));
    const std::size_t before = allocated();
    FlowRegistry registry;
    FlowRegistry::Transaction transaction = registry.begin();
    for (FlowModule& module : modules) transaction.register_(std::move(module));
    required(transaction.commit());
    std::exchange(modules, {});
    state.counters["figure"] = (static_cast<double>(allocated()) - static_cast<double>(before)) /
                               static_cast<double>(flows.size());
  }
}
BENCHMARK(memory)->Name("memory")->Arg(1'000)->Arg(100'000)->Iterations(1);

}  // namespace
}  // namespace weir::bench

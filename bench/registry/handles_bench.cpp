// SharedHandles: a hit, and a start that is nothing but SharedHandles' own part of it.
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <weir/registry/shared_handles.hpp>

#include "bench/required.hpp"
#include "cpu_time.hpp"
#include "flows.hpp"

namespace weir::bench {
namespace {

using Handles = SharedHandles<std::string, int>;

std::vector<std::string> keys() {
  const Flows& flows = Flows::of(1'000);
  std::vector<std::string> all;
  for (std::size_t i = 0; i < flows.size(); ++i) all.push_back(flows.slug(i).string());
  return all;
}

// The handle was made before: what remains is the table's work.
struct Given {
  std::shared_ptr<int> handle = std::make_shared<int>(1);
  Result<std::shared_ptr<int>> operator()(const Handles::Starting&) const { return handle; }
};

void hit(benchmark::State& state) {
  const Flows& flows = Flows::of(1'000);
  const Given given;
  Handles handles;
  for (const std::string& key : keys()) required(handles.get_or_start(key, given));
  std::size_t i = 0;
  for (auto _ : state) {
    auto handle = handles.get_or_start(flows.asked(i++).string(), given);
    benchmark::DoNotOptimize(handle->get());
  }
}
BENCHMARK(hit)->Name("handles/hit");

void miss(benchmark::State& state) {
  const std::vector<std::string> all = keys();
  const Given given;
  Handles handles;
  Stopwatch every;
  for (auto _ : state) {
    Stopwatch these;
    these.time([&] {
      for (const std::string& key : all) required(handles.get_or_start(key, given));
    });
    for (const std::string& key : all) handles.stop(key);
    state.SetIterationTime(these.seconds());
    every.add(these);
  }
  state.counters["figure"] = every.nanoseconds_each(static_cast<double>(state.iterations()) *
                                                    static_cast<double>(all.size()));
}
BENCHMARK(miss)->Name("handles/miss")->UseManualTime();

}  // namespace
}  // namespace weir::bench

// KeyedRegistry, doing what elixir.exs has Elixir's Registry do.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <weir/registry/keyed_registry.hpp>

#include "bench/required.hpp"
#include "flows.hpp"

namespace weir::bench {
namespace {

using Keyed = KeyedRegistry<std::string, std::uint64_t>;

// A registry with 1,000 entries of somebody else, so that it is not the emptiest there is.
struct Filled {
  explicit Filled(weir::Keys keys)
      : registry({.keys = keys, .partitions = 2}), somebody(registry.owner("somebody")) {
    const Flows& flows = Flows::of(1'000);
    for (std::size_t i = 0; i < flows.size(); ++i)
      required(registry.register_(somebody, flows.slug(i).string(), i));
  }
  void stand_under(const std::string& key, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      owners.push_back(registry.owner(fmt::format("owner {}", i)));
      required(registry.register_(owners.back(), key, i));
    }
  }
  Keyed registry;
  Keyed::Owner somebody;
  std::vector<Keyed::Owner> owners = {};
};

void register_unregister(benchmark::State& state, weir::Keys keys) {
  Filled filled(keys);
  Keyed::Owner owner = filled.registry.owner("owner");
  const std::string key = "process_order_999999";
  for (auto _ : state) {
    required(filled.registry.register_(owner, key, 1));
    filled.registry.unregister(owner, key);
  }
}
BENCHMARK_CAPTURE(register_unregister, unique, weir::Keys::unique)
    ->Name("keyed/register_unregister/unique");
BENCHMARK_CAPTURE(register_unregister, duplicate, weir::Keys::duplicate)
    ->Name("keyed/register_unregister/duplicate");

void dispatch(benchmark::State& state) {
  Filled filled(weir::Keys::duplicate);
  const std::string key = "process_order_999999";
  filled.stand_under(key, static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    std::uint64_t sum = 0;
    filled.registry.dispatch(key, [&](const Keyed::View& entry) { sum += entry.value; });
    benchmark::DoNotOptimize(sum);
  }
}
BENCHMARK(dispatch)->Name("keyed/dispatch")->Arg(1)->Arg(100);

void look(benchmark::State& state) {
  Filled filled(weir::Keys::unique);
  const Flows& flows = Flows::of(1'000);
  std::size_t i = 0;
  for (auto _ : state) {
    std::uint64_t sum = 0;
    filled.registry.look(flows.asked(i++).view(),
                         [&](const Keyed::View& entry) { sum += entry.value; });
    benchmark::DoNotOptimize(sum);
  }
}
BENCHMARK(look)->Name("keyed/look");

}  // namespace
}  // namespace weir::bench

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
BENCHMARK(dispatch)->Name("keyed/dispatch")->Arg(1)->Arg(100)->Arg(2'000)->Arg(16'000);

// Entries leave one key, from anywhere among many, and come again.
void change_hot_key(benchmark::State& state) {
  Filled filled(weir::Keys::duplicate);
  const std::string key = "process_order_999999";
  const auto count = static_cast<std::size_t>(state.range(0));
  filled.stand_under(key, count);
  std::size_t i = 0;
  for (auto _ : state) {
    Keyed::Owner& owner = filled.owners[(i += 7'919) % count];
    filled.registry.unregister(owner, key);
    required(filled.registry.register_(owner, key, i));
  }
}
BENCHMARK(change_hot_key)->Name("keyed/change_hot_key")->Arg(2'000)->Arg(16'000);

// An owner of many keys gives up one after the other, and takes it again.
void change_of_many_keys(benchmark::State& state) {
  Keyed registry({.partitions = 2});
  Keyed::Owner owner = registry.owner("owner");
  std::vector<std::string> keys;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    keys.push_back(fmt::format("process_order_{:06}", i));
    required(registry.register_(owner, keys.back(), 1));
  }
  std::size_t i = 0;
  for (auto _ : state) {
    const std::string& key = keys[(i += 7'919) % keys.size()];
    registry.unregister(owner, key);
    required(registry.register_(owner, key, 1));
  }
}
BENCHMARK(change_of_many_keys)->Name("keyed/change_of_many_keys")->Arg(400)->Arg(40'000);

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

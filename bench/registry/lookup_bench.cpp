// lookup/TABLE/read|own/FLOWS/hot|uniform/quiet|writer, with 1 and 2 threads: CPU time a lookup.
//
// Lookups that wait for nobody are told by the CPU time of their threads, which other work on the
// machine does not lengthen. Beside a writer, what has no writer of its own runs beside one that
// publishes to a registry nobody reads: so both sides lose the same time and cache to it.
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "publisher.hpp"
#include "tables.hpp"

namespace weir::bench {
namespace {

struct Cell {
  std::size_t flows;
  bool hot;
  bool writer;
};

// The table of that kind and size, made at first use.
template <class Table>
Table& table(std::size_t flows) {
  static std::mutex mutex;
  static std::map<std::size_t, std::unique_ptr<Table>> all;
  const std::scoped_lock lock(mutex);
  auto& one = all[flows];
  if (!one) one = std::make_unique<Table>(Flows::of(flows));
  return *one;
}

FlowRegistry& nobodys(std::size_t flows) {
  struct Nobodys : Registry {
    using Registry::Registry;
  };
  return table<Nobodys>(flows).registry();
}

template <class Table, bool owning>
class Lookups : public benchmark::Fixture {
 public:
  explicit Lookups(const Cell& cell) : cell_(cell) {
    SetName(fmt::format("lookup/{}/{}/{}/{}/{}", Table::name, owning ? "own" : "read", cell.flows,
                        cell.hot ? "hot" : "uniform", cell.writer ? "writer" : "quiet")
                .c_str());
    Threads(1);
    Threads(2);
  }

  void SetUp(benchmark::State& state) override {
    if (state.thread_index() != 0 || !cell_.writer) return;
    const Flows& flows = Flows::of(cell_.flows);
    if constexpr (std::is_same_v<Table, Registry>)
      writer_.emplace(table<Table>(cell_.flows).registry(), flows, 1'000);
    else
      writer_.emplace(nobodys(cell_.flows), flows, 1'000);
  }

  void TearDown(benchmark::State& state) override {
    if (state.thread_index() == 0) writer_.reset();
  }

 protected:
  void BenchmarkCase(benchmark::State& state) override {
    const Table& asked = table<Table>(cell_.flows);
    const Flows& flows = Flows::of(cell_.flows);
    const bool hot = cell_.hot;
    std::size_t i = static_cast<std::size_t>(state.thread_index()) * 7'919;
    bool found = true;
    for (auto _ : state) {
      const Slug* slug = &flows.asked(i++, hot);
      benchmark::DoNotOptimize(slug);
      if constexpr (owning)
        found = asked.own(*slug) && found;
      else
        found = asked.read(*slug) && found;
    }
    if (!found) state.SkipWithError("a flow was not found");
  }

 private:
  const Cell cell_;
  std::optional<Publisher> writer_;
};

template <class Table, bool owning>
void add(const Cell& cell) {
  benchmark::internal::RegisterBenchmarkInternal(new Lookups<Table, owning>(cell));
}

template <class Table>
void add_both(const Cell& cell) {
  add<Table, false>(cell);
  add<Table, true>(cell);
}

const bool added = [] {
  for (const std::size_t flows : {64U, 1'000U, 100'000U})
    for (const bool hot : {true, false})
      for (const bool writer : {false, true}) {
        add<Registry, false>({flows, hot, writer});
        add<FlatMap, false>({flows, hot, writer});
        add<FlatSlots, false>({flows, hot, writer});
      }
  add<Registry, true>({1'000, true, false});
  const Cell usual = {1'000, false, false};
  add<Registry, true>(usual);
  add_both<SharedMutexMap>(usual);
  add_both<SharedSnapshot>(usual);
#if WEIR_BENCH_TBB
  add_both<TbbMap>(usual);
#endif
  return true;
}();

}  // namespace
}  // namespace weir::bench

// lookup/TABLE/read|own/FLOWS/hot|uniform/quiet|writer, with 1 and 2 threads: CPU time a lookup.
//
// hot: one flow for a whole repetition, and another for the next, since how far a table has to
// search for it is luck. Lookups that wait for nobody are told by the CPU time of their threads,
// which other work on the machine does not lengthen. Beside a writer, what has no writer of its own
// runs beside one that publishes to a registry nobody reads: so both sides lose the same time and
// cache to it.
#include <array>
#include <atomic>
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
    // All threads of a run draw the same number, because the runs of a number of threads come one
    // after the other.
    const auto threads = static_cast<std::size_t>(state.threads());
    const std::size_t run = draws_[threads - 1].fetch_add(1) / threads;
    if (cell_.hot) hot_[static_cast<std::size_t>(state.thread_index())] = run * 7'919 % cell_.flows;
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
    const auto thread = static_cast<std::size_t>(state.thread_index());
    const auto ask = [&](const Slug& slug) {
      const Slug* opaque = &slug;
      // In a register: libbenchmark's own lets g++ take it from memory, and some builds then read
      // another object.
      asm volatile("" : "+r"(opaque) : : "memory");
      if constexpr (owning)
        return asked.own(*opaque);
      else
        return asked.read(*opaque);
    };
    bool found = true;
    if (cell_.hot) {
      const Slug& hot = flows.slug(hot_[thread]);
      for (auto _ : state) found = ask(hot) && found;
    } else {
      std::size_t i = thread * 7'919;
      for (auto _ : state) found = ask(flows.asked(i++)) && found;
    }
    if (!found) state.SkipWithError("a flow was not found");
  }

 private:
  const Cell cell_;
  std::array<std::atomic<std::size_t>, 2> draws_ = {};  // with 1 thread and with 2
  std::array<std::size_t, 2> hot_ = {};                 // each thread's own copy
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

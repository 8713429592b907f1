// What the database allows when nothing else is done: hand-written SQL over libpq, in batches.
//   bench_floor MODE BATCH CONNS N     with $FLOOR_CONNINFO; prints one line of JSON
//   owned1, owned3  N runs of one step, or of three in a row, that workers lease as a whole
//   map1000         N runs of one map step with 1,000 tasks, whose graph stands in tables
//   latency         N jobs, one by one, on an idle queue
// It does not: state what is in flight, number its calls, check and keep each value, order claims by
// priority, or handle a second flow.
#include "bench/floor/floor.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

int main(int argc, char** argv) {
  using namespace weir::bench;
  using Clock = std::chrono::steady_clock;
  const auto number = [&](int i) { return std::strtoull(argv[i], nullptr, 10); };
  if (argc != 5 || number(2) == 0 || number(3) == 0 || number(4) == 0) {
    std::fputs("usage: bench_floor owned1|owned3|map1000|latency BATCH CONNS N\n", stderr);
    return 2;
  }
  const std::string_view mode = argv[1];
  const std::size_t runs = number(4);
  Database database;
  database.run(floor_tables);
  if (mode == "latency") {
    measure_latency(database, runs);
    return 0;
  }
  if (mode != "owned1" && mode != "owned3" && mode != "map1000") {
    std::fprintf(stderr, "bench_floor: no mode \"%s\"\n", argv[1]);
    return 2;
  }
  const auto began = Clock::now();
  const Drain drain = mode == "map1000" ? map_of_1000(database, runs)
                                        : owned(database, mode == "owned3" ? 3 : 1, runs);
  const double start_seconds = std::chrono::duration<double>(Clock::now() - began).count();
  database.run("vacuum analyze");
  database.run("checkpoint");
  measure(database, drain, number(2), number(3), start_seconds);
}

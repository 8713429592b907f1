// bench_registry: every figure of the registries, and of what they are measured against, as
// benchmarks of Google Benchmark. script/bench runs it; report/ makes the table.
#include <benchmark/benchmark.h>

BENCHMARK_MAIN();

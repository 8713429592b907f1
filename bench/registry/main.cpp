// bench_registry: every figure of the registries, and of what they are measured against, as
// benchmarks of Google Benchmark. script/bench runs it; report/ makes the table.
#include <string_view>

#include <benchmark/benchmark.h>

#include "plugin/scan_child.hpp"

int main(int count, char** arguments) {
  if (count > 2 && std::string_view(arguments[1]) == "internal")  // started by plugins_bench.cpp
    weir::scan_as_child({arguments + 3, arguments + count});
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

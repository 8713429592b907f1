#include <utility>

#include <fmt/core.h>

#include "bench/engine/meter.hpp"
#include "bench/growth/growth.hpp"
#include "bench/growth/worker_process.hpp"
#include "bench/measure/processor_time.hpp"
#include "bench/required.hpp"

namespace weir::bench {
namespace {

// The memory of the worker that has claimed and parked all of them.
Memory park(const std::string& url, postgres::Session& admin, std::size_t count) {
  WorkerProcess worker(url, "parking", 8);
  wait_until(admin, "select exists (select from weir.worker where idle)");
  start_runs(url, "parking", count);
  wait_until(admin,
             "select not exists (select from weir.open_run where worker_id is not null or wake_at "
             "is null)");
  const Memory memory = resident_memory(worker.pid());
  worker.end();
  return memory;
}

}  // namespace

Table measure_parked(const LocalPostgres& server, const GrowthOptions& options) {
  Table table("parked runs", {{"call_us", "call", 0},
                              {"server_us", "server", 0},
                              {"buffers", "buffers", 1},
                              {"wal_bytes", "WAL", 0},
                              {"worker_mib", "MiB", 1},
                              {"worker_peak_mib", "at most", 1}});
  constexpr std::size_t calls = 250;
  const std::string url = database_url(server, "growth_parked");
  for (std::size_t round = 0; round < options.rounds; ++round)
    for (const std::size_t count : beginning_with(10, options.parked)) {
      fmt::print(stderr, "round {}: a claim with {} parked runs\n", round + 1, count);
      const auto admin = emptied(url);
      const Memory memory = park(url, *admin, count);
      const VersionId version = register_bench_flow(url);
      start_runs(url, "bench", 8 * calls);
      Figures figures = claim_cost(*admin, url, {version}, calls);
      figures["worker_mib"] = memory.now / mebibyte;
      figures["worker_peak_mib"] = memory.most / mebibyte;
      table.add(fmt::format("claim of 8 runs, {}", count), std::move(figures));
    }
  return table;
}

}  // namespace weir::bench

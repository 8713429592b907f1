#include <utility>

#include <fmt/core.h>

#include "bench/engine/meter.hpp"
#include "bench/growth/growth.hpp"
#include "bench/growth/growth_flows.hpp"
#include "bench/growth/worker_process.hpp"
#include "bench/measure/processor_time.hpp"
#include "bench/required.hpp"
#include "store/postgres/postgres_run_store.hpp"

namespace weir::bench {
namespace {

// All runs are there before the worker may claim the first.
Figures drained_with_memory(const std::string& url, const std::string& flow, std::size_t runs) {
  const auto admin = emptied(url);
  const auto store = required(postgres::open_run_store(url));
  WorkerProcess worker(url, flow, 8);
  wait_until(*admin, "select exists (select from weir.worker where idle)");
  required(store->pause(flow));
  start_runs(url, flow, runs);
  settle(*admin);
  const auto tasks = static_cast<double>(runs);
  const Meter meter(*admin);
  required(store->resume(flow));
  wait_until(*admin, "select not exists (select from weir.open_run)");
  Figures figures = meter.figures(tasks);
  const Memory memory = resident_memory(worker.pid());
  figures["worker_mib"] = memory.now / mebibyte;
  figures["worker_peak_mib"] = memory.most / mebibyte;
  worker.end();
  figures["client_us"] = meter.figures(tasks).at("client_us");
  figures.erase("noise_cores");  // what the worker used was not known yet
  return figures;
}

}  // namespace

Table measure_outputs(const LocalPostgres& server, const GrowthOptions& options) {
  Table table("bytes of an output", {{"per_s", "tasks/s", 0},
                                     {"server_us", "server", 0},
                                     {"client_us", "client", 0},
                                     {"wal_bytes", "WAL", 0},
                                     {"worker_mib", "MiB", 1},
                                     {"worker_peak_mib", "at most", 1}});
  const std::string url = database_url(server, "growth_outputs");
  const std::vector<std::pair<std::size_t, std::size_t>> sizes{
      {100, options.runs}, {10'000, options.runs}, {1'000'000, options.large}};
  for (std::size_t round = 0; round < options.rounds; ++round)
    for (const auto& [bytes, runs] : sizes) {
      fmt::print(stderr, "round {}: {} outputs of {} bytes\n", round + 1, runs, bytes);
      table.add(fmt::format("{}", bytes), drained_with_memory(url, flow_with_outputs(bytes), runs));
    }
  emptied(url);  // gives the disk back
  return table;
}

}  // namespace weir::bench

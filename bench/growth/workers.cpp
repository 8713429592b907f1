#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include "bench/engine/empty_flow.hpp"
#include "bench/engine/meter.hpp"
#include "bench/growth/growth.hpp"
#include "bench/growth/worker_process.hpp"
#include "bench/required.hpp"
#include "store/postgres/postgres_run_store.hpp"

namespace weir::bench {
namespace {

using Workers = std::vector<std::unique_ptr<WorkerProcess>>;

Workers joined(const std::string& url, postgres::Session& admin, const char* slug,
               std::size_t count, std::size_t slots) {
  Workers workers;
  for (std::size_t i = 0; i < count; ++i)
    workers.push_back(std::make_unique<WorkerProcess>(url, slug, slots));
  while (required(
             admin.query("select count(*) from weir.worker where ended_at is null and idle"))[0][0]
             .as<std::size_t>() < count)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return workers;
}

// Ends them; the figures of what all of them did, which `meter` measured.
Figures ended(const Workers& workers, const Meter& meter, double tasks) {
  Figures figures = meter.figures(tasks);
  ClaimCounts sum;
  for (const auto& worker : workers) {
    const ClaimCounts counts = worker->end();
    sum.exchanges += counts.exchanges;
    sum.missed += counts.missed;
  }
  figures["exchanges"] = static_cast<double>(sum.exchanges) / tasks;
  figures["missed"] = static_cast<double>(sum.missed) / tasks;
  // What processes used is known when they have ended.
  const Figures with_processes = meter.figures(tasks);
  figures["client_us"] = with_processes.at("client_us");
  figures.erase("noise_cores");
  return figures;
}

Figures drained_by(const std::string& url, std::size_t count, std::size_t runs) {
  const auto admin = emptied(url);
  register_bench_flow(url);
  const auto store = required(postgres::open_run_store(url));
  // Paused until all workers have joined and all runs are there.
  required(store->pause(EmptyFlow::slug));
  const Workers workers = joined(url, *admin, EmptyFlow::slug, count, 8);
  start_runs(url, EmptyFlow::slug, runs);
  settle(*admin);
  const Meter meter(*admin);
  required(store->resume(EmptyFlow::slug));
  wait_until(*admin, "select not exists (select from weir.open_run)");
  return ended(workers, meter, static_cast<double>(runs));
}

Figures computed_by(const std::string& url, std::size_t count, std::size_t elements) {
  const auto admin = emptied(url);
  const auto store = required(postgres::open_run_store(url));
  const Workers workers = joined(url, *admin, "busy", count, 1);
  settle(*admin);
  const Meter meter(*admin);
  required(store->start("busy", {Json::array(std::vector<Json>(elements, Json::number(1)))}, {}));
  wait_until(*admin, "select not exists (select from weir.open_run)");
  return ended(workers, meter, static_cast<double>(elements));
}

}  // namespace

Table measure_workers(const LocalPostgres& server, const GrowthOptions& options) {
  Table table("processes on one flow", {{"per_s", "tasks/s", 0},
                                        {"server_us", "server", 1},
                                        {"client_us", "client", 1},
                                        {"exchanges", "calls", 4},
                                        {"missed", "missed", 4}});
  const std::string url = database_url(server, "growth_workers");
  for (std::size_t round = 0; round < options.rounds; ++round)
    for (const std::size_t count : {1, 2, 4, 8}) {
      fmt::print(stderr, "round {}: {} processes\n", round + 1, count);
      table.add(fmt::format("{}", count), drained_by(url, count, options.runs));
    }
  return table;
}

Table measure_processors(const LocalPostgres& server, const GrowthOptions& options) {
  Table table("a map that computes",
              {{"per_s", "tasks/s", 0}, {"server_us", "server", 1}, {"exchanges", "calls", 4}});
  const std::string url = database_url(server, "growth_processors");
  const std::size_t elements = std::max<std::size_t>(1, options.runs / 5);
  for (std::size_t round = 0; round < options.rounds; ++round)
    for (const std::size_t count : {1, 2}) {
      fmt::print(stderr, "round {}: {} processes with one slot\n", round + 1, count);
      table.add(fmt::format("{} process{} of one slot", count, count == 1 ? "" : "es"),
                computed_by(url, count, elements));
    }
  return table;
}

}  // namespace weir::bench

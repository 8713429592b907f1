#include <chrono>
#include <thread>

#include <fmt/core.h>
#include <unistd.h>

#include "bench/engine/meter.hpp"
#include "bench/growth/growth.hpp"
#include "bench/growth/growth_flows.hpp"
#include "bench/required.hpp"
#include "store/flow_store.hpp"
#include "store/postgres/postgres_worker_store.hpp"

namespace weir::bench {
namespace {

constexpr std::size_t runs_a_claim = 8, claims_a_round = 250;

// So many versions of as many flows, each with its share of the runs of a round.
std::vector<VersionId> add_versions(postgres::Session& admin, std::size_t count) {
  required(admin.transact([&](pqxx::work& database) {
    database.exec(fmt::format(
        "insert into weir.flow (slug) select 'flow' || n from generate_series(1, {}) as n", count));
    database.exec(
        "insert into weir.version "
        "  (flow_id, number, module, fingerprint, definition, maps_over_input) "
        "select id, 1, slug, encode(sha256(slug::bytea), 'hex'), '{}', false from weir.flow");
    database.exec(fmt::format(
        "select weir.make_runs(v.id, array_fill('{{\"n\": 1}}'::jsonb, array[{}]), '{{}}', "
        "'{{}}', clock_timestamp(), 0, '{{}}') from weir.version v",
        (runs_a_claim * claims_a_round + count - 1) / count));
  }));
  std::vector<VersionId> versions;
  for (const auto& row : required(admin.query("select id from weir.version order by id")))
    versions.push_back(row[0].as<VersionId>());
  return versions;
}

}  // namespace

Figures claim_cost(postgres::Session& admin, const std::string& url,
                   const std::vector<VersionId>& versions, std::size_t calls) {
  settle(admin);
  wait_until_alone(admin);
  auto store = required(postgres::open_worker_store(url));
  ExchangeRequest request{.worker = 0,
                          .settled = {},
                          .ended = {},
                          .released = {},
                          .in_flight = {},
                          .versions = versions,
                          .claims_max = runs_a_claim};
  request.lease = std::chrono::minutes(5);
  request.worker = required(store->join(
      {.host = "bench", .pid = ::getpid(), .slots = runs_a_claim, .trial_of = {}}, request.lease));
  std::size_t claimed = 0;
  const Meter meter(admin);
  for (std::size_t i = 0; i < calls; ++i) {
    ++request.sequence;
    claimed += required(store->exchange(request)).claimed.size();
  }
  Figures figures = meter.figures(static_cast<double>(calls));
  if (claimed != calls * runs_a_claim) fail(fmt::format("{} runs were claimed", claimed));
  figures["call_us"] = 1e6 / figures.at("per_s");
  figures.erase("per_s");
  required(store->leave(request.worker));
  store.reset();
  wait_until_alone(admin);
  figures.merge(meter.touched(static_cast<double>(calls)));
  return figures;
}

Table measure_versions(const LocalPostgres& server, const GrowthOptions& options) {
  Table table("versions with work", {{"call_us", "call", 0},
                                     {"server_us", "server", 0},
                                     {"buffers", "buffers", 1},
                                     {"wal_bytes", "WAL", 0}});
  const std::string url = database_url(server, "growth_versions");
  for (std::size_t round = 0; round < options.rounds; ++round)
    for (const std::size_t count : beginning_with(1, options.versions)) {
      const auto admin = emptied(url);
      const auto versions = add_versions(*admin, count);
      fmt::print(stderr, "round {}: a claim with {} versions\n", round + 1, count);
      table.add(fmt::format("claim of 8 runs, {}", count),
                claim_cost(*admin, url, versions, claims_a_round));
    }
  return table;
}

}  // namespace weir::bench

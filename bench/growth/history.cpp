#include <chrono>
#include <thread>

#include <fmt/core.h>

#include "bench/engine/empty_flow.hpp"
#include "bench/engine/meter.hpp"
#include "bench/growth/growth.hpp"
#include "bench/required.hpp"

namespace weir::bench {
namespace {

// Finished runs of a version in the shape that a worker leaves: one in 500 failed in its last step,
// one in 100 has a tag, and they ended one by one until now. They are made open and end in place, as
// others do: rows that had their last size from the start would leave gaps for new ones on all pages.
void add_history(postgres::Session& admin, VersionId version, std::size_t runs, std::size_t steps) {
  required(admin.transact([&](pqxx::work& database) {
    database.exec(fmt::format(
        R"sql(
        insert into weir.run (uuid, version_id, status, priority, input, tags, created_at,
                              available_at)
        select weir.uuid7(), {0}, 0, 0, '{{"n": 1}}',
               case when n % 100 = 9 then array['rare'] else '{{}}' end, at, at
        from (
          select n, now() - ({1} - n) * interval '10 ms' as at
          from generate_series(1, {1}) as n) as r
        )sql",
        version, runs));
    database.exec(fmt::format(
        R"sql(
        update weir.run r
        set status = case when failed then 2 else 1 end,
            output = case when not failed then '{{"s{1}": {{"ok": true}}}}'::jsonb end,
            error = case when failed then 'it failed' end,
            failed_step = case when failed then {1} end,
            started_at = r.created_at, ended_at = r.created_at
        from (select id, id % 500 = 7 as failed from weir.run where version_id = {0}) as e
        where r.id = e.id
        )sql",
        version, steps - 1));
    database.exec(fmt::format(
        R"sql(
        insert into weir.journal (run_id, step, task_index, attempt, outcome, output, error_code,
                                  error, started_at, ended_at, worker_id)
        select r.id, s, 0, 1, case when failed then 3 else 1 end,
               case when not failed then '{{"ok": true}}'::jsonb end,
               case when failed then 'failed' end, case when failed then 'it failed' end,
               r.ended_at, r.ended_at, 1
        from weir.run r
        cross join generate_series(0, {1} - 1) as s
        cross join lateral (select r.status = 2 and s = {1} - 1 as failed) as f
        where r.version_id = {0} and r.status <> 0
        )sql",
        version, steps));
  }));
}

// As in the engine's table, with what the worker's session read.
Figures drained_with_reads(const std::string& url, EmptyFlow& flow, std::size_t runs) {
  const auto admin = required(postgres::Session::open(url));
  start_runs(url, EmptyFlow::slug, runs);
  settle(*admin);
  wait_until_alone(*admin);
  const auto tasks = static_cast<double>(runs * flow.tasks_a_run());
  const std::size_t tasks_before = flow.begun();
  const Meter meter(*admin);
  Figures figures;
  {
    Serving serving(url, flow.module(), 8);
    serving.begin();
    while (flow.begun() - tasks_before < runs * flow.tasks_a_run())
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    wait_until(*admin, "select not exists (select from weir.open_run)");
    figures = meter.figures(tasks);
  }
  wait_until_alone(*admin);
  figures.merge(meter.touched(tasks));
  return figures;
}

Table measure_steps(const LocalPostgres& server, const GrowthOptions& options, std::size_t steps) {
  Table table(fmt::format("finished runs, {} step{}", steps, steps == 1 ? "" : "s"),
              {{"per_s", "tasks/s", 0},
               {"server_us", "server", 1},
               {"wal_bytes", "WAL", 0},
               {"buffers", "buffers", 2},
               {"rows_read", "read", 2},
               {"rows_written", "written", 2}});
  EmptyFlow flow(steps);
  // Each in a database of its own, so that rounds of all can go between each other.
  const auto sizes = beginning_with(0, options.history);
  const auto url_of = [&](std::size_t size) {
    return database_url(server, fmt::format("growth_{}_{}", steps, size));
  };
  for (const std::size_t size : sizes) {
    const auto admin = emptied(url_of(size));
    Serving(url_of(size), flow.module(), 8).register_flow();
    if (size == 0) continue;
    fmt::print(stderr, "making {} finished runs\n", size);
    add_history(*admin, required(admin->query("select id from weir.version"))[0][0].as<VersionId>(),
                size, steps);
  }
  for (std::size_t round = 0; round < options.rounds; ++round)
    for (const std::size_t size : sizes) {
      fmt::print(stderr, "round {}: {} steps beside {} runs\n", round + 1, steps, size);
      table.add(fmt::format("{}", size), drained_with_reads(url_of(size), flow, options.runs));
    }
  for (const std::size_t size : sizes) emptied(url_of(size));  // gives the disk back
  return table;
}

}  // namespace

std::vector<Table> measure_history(const LocalPostgres& server, const GrowthOptions& options) {
  return {measure_steps(server, options, 1), measure_steps(server, options, 3)};
}

}  // namespace weir::bench

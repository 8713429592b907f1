// map1000: one step of 1,000 tasks, in a graph that stands in tables; one statement a batch settles
// tasks, releases what depends on them, closes runs and claims the next batch.
#include <chrono>
#include <thread>

#include <fmt/core.h>

#include "bench/floor/floor.hpp"

namespace weir::bench {
namespace {

constexpr std::size_t tasks_of_run = 1'000;

constexpr const char* settle_and_claim = R"sql(
with settled as (
  delete from ready q using unnest($1::bigint[]) as done
  where q.id = done and q.worker = $2::integer
  returning q.run_id, q.step, q.flow_id, q.index),
counted as (
  select run_id, step, flow_id, count(*)::integer as tasks
  from settled
  group by 1, 2, 3
  order by 1, 2),
appended as (
  insert into result (run_id, step, index, output)
  select run_id, step, index, '{"ok": true}' from settled),
progressed as (
  update step s
  set remaining_tasks = s.remaining_tasks - c.tasks,
      done_at = case when s.remaining_tasks = c.tasks then now() end,
      output = case when s.remaining_tasks = c.tasks then '{"ok": true}'::jsonb end
  from counted c
  where s.run_id = c.run_id and s.step = c.step
  returning s.run_id, s.step, s.flow_id, s.remaining_tasks),
next as (
  select p.run_id, e.step, count(*)::integer as met
  from progressed p
  join flow_edge e on e.flow_id = p.flow_id and e.dependency = p.step
  where p.remaining_tasks = 0
  group by 1, 2
  order by 1, 2),
released as (
  update step s
  set remaining_dependencies = s.remaining_dependencies - n.met
  from next n
  where s.run_id = n.run_id and s.step = n.step
  returning s.run_id, s.step, s.flow_id, s.remaining_dependencies, s.remaining_tasks),
readied as (
  insert into ready (run_id, step, flow_id, index)
  select r.run_id, r.step, r.flow_id, i
  from released r, generate_series(0, r.remaining_tasks - 1) as i
  where r.remaining_dependencies = 0),
sinks as (
  select p.run_id, count(*)::integer as done
  from progressed p
  join flow_step f on f.flow_id = p.flow_id and f.step = p.step
  where f.is_sink and p.remaining_tasks = 0
  group by 1
  order by 1),
closed as (
  update run r
  set status = 2, done_at = now(), sinks = r.sinks - s.done
  from sinks s
  where r.run_id = s.run_id)
update ready
set worker = $2::integer, lease_until = now() + '30 s'
where id = any (array(
  select id from ready
  where worker is null
  order by id
  limit $3::integer
  for update skip locked))
returning id
)sql";

}  // namespace

Drain map_of_1000(Database& database, std::size_t runs) {
  const std::size_t tasks = runs * tasks_of_run;
  database.run(fmt::format("insert into flow_step values (1, 1, 0, true, {})", tasks_of_run));
  database.run(fmt::format(R"sql(
    with made as (
      insert into run (flow_id) select 1 from generate_series(1, {}) returning run_id, flow_id),
    steps as (
      insert into step (run_id, step, flow_id, remaining_dependencies, remaining_tasks)
      select m.run_id, f.step, m.flow_id, f.dependencies, f.tasks
      from made m join flow_step f using (flow_id)
      returning run_id, step, flow_id, remaining_dependencies, remaining_tasks)
    insert into ready (run_id, step, flow_id, index)
    select run_id, step, flow_id, i
    from steps, generate_series(0, remaining_tasks - 1) as i
    where remaining_dependencies = 0)sql",
                           runs));
  const auto work = [tasks](Database& connection, const std::string& worker,
                            const std::string& batch, Progress& progress) {
    std::vector<std::string> claimed;
    for (;;) {
      const std::size_t settled = claimed.size();
      claimed =
          first_column(connection.execute("settle and claim", {array_of(claimed), worker, batch}));
      ++progress.statements;
      progress.tasks += settled;
      if (!claimed.empty()) continue;
      if (progress.tasks.load() >= tasks) return;
      // Another connection has what is left, and may release more.
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  };
  return {
      .mode = "map1000",
      .runs = runs,
      .tasks = tasks,
      .prepare =
          [](Database& connection) { connection.prepare("settle and claim", settle_and_claim); },
      .work = work};
}

}  // namespace weir::bench

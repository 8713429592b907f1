// owned1, owned3: a worker leases whole runs, walks their graphs in memory, and appends the results in batches.
#include <fmt/core.h>

#include "bench/floor/floor.hpp"

namespace weir::bench {
namespace {

constexpr const char* claim_runs = R"sql(
with claimed as (
  update open_run
  set worker = $1::integer, lease_until = now() + '30 s'
  where run_id = any (array(
    select run_id from open_run
    where worker is null
    order by run_id
    limit $2::integer
    for update skip locked))
  returning run_id)
select c.run_id, r.flow_id, r.input from claimed c join run r using (run_id)
)sql";

constexpr const char* append = R"sql(
insert into result (run_id, step, output)
select id, $2::smallint, '{"ok": true}' from unnest($1::bigint[]) as id
)sql";

constexpr const char* append_and_end = R"sql(
with appended as (
  insert into result (run_id, step, output)
  select id, $2::smallint, '{"ok": true}' from unnest($1::bigint[]) as id),
closed as (
  delete from open_run o using unnest($1::bigint[]) as id where o.run_id = id)
update run r
set status = 2, done_at = now(), output = '{"ok": true}'
from unnest($1::bigint[]) as id
where r.run_id = id
)sql";

void prepare(Database& database) {
  database.prepare("claim", claim_runs);
  database.prepare("append", append);
  database.prepare("append_and_end", append_and_end);
}

}  // namespace

Drain owned(Database& database, std::size_t steps, std::size_t runs) {
  database.run(fmt::format(R"sql(
    with made as (
      insert into run (flow_id) select 1 from generate_series(1, {}) returning run_id, flow_id)
    insert into open_run (run_id, flow_id) select run_id, flow_id from made)sql",
                           runs));
  const auto work = [steps](Database& connection, const std::string& worker,
                            const std::string& batch, Progress& progress) {
    for (;;) {
      const auto claimed = first_column(connection.execute("claim", {worker, batch}));
      ++progress.statements;
      if (claimed.empty()) return;
      const std::string ids = array_of(claimed);
      for (std::size_t step = 1; step <= steps; ++step) {
        connection.execute(step == steps ? "append_and_end" : "append",
                           {ids, std::to_string(step)});
        ++progress.statements;
        progress.tasks += claimed.size();
      }
    }
  };
  return {.mode = fmt::format("owned{}", steps),
          .runs = runs,
          .tasks = runs * steps,
          .prepare = prepare,
          .work = work};
}

}  // namespace weir::bench

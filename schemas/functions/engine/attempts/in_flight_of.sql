-- The attempts that a worker runs: of runs and shares that it holds. A worker that makes no exchanges reports nothing
-- as in flight: it counts as running all that it took and has not settled. What it stated that can be no attempt is
-- left out: nobody else is to suffer from it.
create or replace function weir.in_flight_of(p_worker bigint)
returns table (run_id bigint, step smallint, task_index integer, attempt smallint, plugin_id integer)
language plpgsql stable
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
as $$
begin
  return query
  select f.run_id, f.step, f.task_index, f.attempt, f.plugin_id
  from weir.worker w
  cross join lateral
    unnest(w.in_flight_run, w.in_flight_step, w.in_flight_index, w.in_flight_attempt, w.in_flight_plugin)
      as f(run_id, step, task_index, attempt, plugin_id)
  where w.id = p_worker and f.step is not null and f.task_index is not null and f.attempt >= 0
    and (exists (select from weir.open_run o
                 where o.run_id = any (array[f.run_id]) and o.worker_id = p_worker)
         or exists (select from weir.share s
                    where s.worker_id = p_worker and s.run_id = any (array[f.run_id]) and s.step = f.step
                      and s.attempt = f.attempt and f.task_index between s.first_index and s.last_index))
  union all
  select s.run_id, s.step, i, s.attempt, null::integer
  from weir.worker w
  join weir.share s on s.worker_id = w.id
  cross join lateral generate_series(s.first_index, s.last_index) as i
  where w.id = p_worker and w.sequence = 0
    and not exists (select from weir.journal j
                    where j.run_id = s.run_id and j.step = s.step and j.task_index = i and j.attempt >= s.attempt);
end $$;
comment on function weir.in_flight_of is 'the attempts that a worker runs';

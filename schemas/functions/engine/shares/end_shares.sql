-- Ends all shares of these runs, or of one step of theirs: workers that hold some are notified, and refused from now
-- on. What they had in flight is journaled as cancelled (F6).
create or replace function weir.end_shares(p_runs bigint[], p_step smallint default null) returns void
language plpgsql
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
as $$
declare
  v_helpers bigint[];
begin
  perform from weir.share s
  where s.run_id = any (p_runs) and (p_step is null or s.step = p_step)
  order by s.id
  for update;
  if not found then return; end if;
  -- What others settled until they were locked is no later than the end of the run.
  update weir.run r set ended_at = clock_timestamp() where r.id = any (p_runs) and r.status <> 0;
  select array_agg(distinct s.worker_id) into v_helpers
  from weir.share s
  where s.run_id = any (p_runs) and (p_step is null or s.step = p_step) and s.worker_id is not null;
  insert into weir.journal
    (run_id, step, task_index, attempt, outcome, error_code, error, started_at, ended_at, worker_id, plugin_id)
  select f.run_id, f.step, f.task_index, f.attempt, weir.outcome('cancelled'), 'run_ended',
         'the run ended while this ran', s.taken_at,
         coalesce(r.ended_at, clock_timestamp()), h.id, f.plugin_id
  from unnest(v_helpers) as h(id)
  cross join lateral weir.in_flight_of(h.id) as f
  join weir.share s
    on s.worker_id = h.id and s.run_id = any (array[f.run_id]) and s.step = f.step and s.attempt = f.attempt
       and f.task_index between s.first_index and s.last_index
  join weir.run r on r.id = any (array[f.run_id])
  where s.run_id = any (p_runs) and (p_step is null or s.step = p_step)
  on conflict do nothing;
  delete from weir.share s where s.run_id = any (p_runs) and (p_step is null or s.step = p_step);
  perform pg_notify('weir_told', h::text) from unnest(v_helpers) as h;
end $$;
comment on function weir.end_shares is 'ends all shares of these runs, or of one step of theirs';

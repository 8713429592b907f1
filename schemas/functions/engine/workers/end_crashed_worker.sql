-- The end of a worker whose process crashed, told by the process's parent. Blamed is what its flight recorder
-- says: one attempt (c_run and what follows) ends as failed with the parent's report (F1); or, without c_run, a
-- plugin (c_sha256), whose attempts in flight count as lost; or, without either, nobody: whatever was in flight
-- counts as lost. All else that it had in flight is not charged; its runs are free at once.
-- Only what the worker stated, and what is still its, is charged. Gives false when it had ended before: then
-- nothing is done, so that telling it twice, or after a sweep, is harmless.
create or replace function weir.end_crashed_worker(
  p_worker bigint, c_run bigint, c_step smallint, c_index integer, c_attempt smallint,
  c_error_code text, c_error text, c_sha256 text)
returns boolean
language plpgsql as $$
declare
  v_dead   weir.worker%rowtype;
  v_plugin integer;
  v_held   bigint[];
begin
  select * into v_dead from weir.worker w where w.id = p_worker and w.ended_at is null for update;
  if not found then return false; end if;
  select p.id into v_plugin from weir.plugin p where p.sha256 = c_sha256;
  -- Its sessions ended with it: whatever a handler of it was settling is decided in a moment (C9).
  v_held := weir.lock_runs(p_worker, true);

  insert into weir.journal (run_id, step, task_index, attempt, outcome, error_code, error, started_at, ended_at, worker_id,
                            plugin_id)
  select f.run_id, f.step, f.task_index, f.attempt,
         case when c_run is null then weir.outcome('lost') else weir.outcome('failed') end,
         case when c_run is null then 'lost' else c_error_code end,
         case when c_run is not null or v_plugin is not null then c_error
              else format('worker %s on %s (pid %s) vanished while this ran', v_dead.id, v_dead.host, v_dead.pid) end,
         clock_timestamp(), clock_timestamp(), v_dead.id, coalesce(f.plugin_id, v_plugin)
  from weir.in_flight_of(p_worker) as f
  where case when c_run is not null
             then (f.run_id, f.step, f.task_index, f.attempt) = (c_run, c_step, c_index, c_attempt)
             else c_sha256 is null or f.plugin_id = v_plugin end
  on conflict do nothing;  -- it stated what it had journaled: no reason to leave its runs where they are

  perform weir.release_runs(p_worker, v_held);

  update weir.worker w
  set ended_at = clock_timestamp(), end_reason = 'crashed', idle = false,
      in_flight_run = '{}', in_flight_step = '{}', in_flight_index = '{}', in_flight_attempt = '{}',
      in_flight_plugin = '{}'
  where w.id = p_worker;
  perform weir.wake_workers();
  return true;
end $$;
comment on function weir.end_crashed_worker is 'ends a worker whose process crashed, and charges who was to blame';

-- Ends a worker whose process crashed; the parent of that process calls it. The flight recorder of the process says
-- what is to blame: one attempt (c_run and the parameters after it), which ends as failed with the parent's report
-- (F1); or, without c_run, a plugin (c_sha256), whose attempts in flight count as lost; or, without either, nothing:
-- then all attempts in flight count as lost. Other attempts in flight are not charged. Its runs are claimable at once.
-- Only attempts that the worker reported as in flight, and that are still its own, are charged. Returns false when the
-- worker had ended before: then nothing is changed, so that the call may be repeated, or follow a sweep.
create or replace function weir.end_crashed_worker(
  p_worker bigint, c_run bigint, c_step smallint, c_index integer, c_attempt smallint,
  c_error_code text, c_error text, c_sha256 text)
returns boolean
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
declare
  v_dead   weir.worker%rowtype;
  v_plugin integer;
  v_held   bigint[];
begin
  select * into v_dead from weir.worker w where w.id = p_worker and w.ended_at is null for update;
  if not found then return false; end if;
  select p.id into v_plugin from weir.plugin p where p.sha256 = c_sha256;
  -- Its sessions ended with it: what its handlers were settling is committed or rolled back in a moment (C9).
  v_held := weir.lock_runs(p_worker, true);

  insert into weir.journal
    (run_id, step, task_index, attempt, outcome, error_code, error, started_at, ended_at, worker_id, plugin_id)
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
  on conflict do nothing;  -- it reported an attempt that it had journaled: its runs are released all the same

  perform weir.release_runs(p_worker, v_held, weir.lock_shares(p_worker, true));

  update weir.worker w
  set ended_at = clock_timestamp(), end_reason = 'crashed', idle = false,
      in_flight_run = '{}', in_flight_step = '{}', in_flight_index = '{}', in_flight_attempt = '{}',
      in_flight_plugin = '{}'
  where w.id = p_worker;
  perform weir.wake_workers();
  return true;
end $$;
comment on function weir.end_crashed_worker is 'ends a worker whose process crashed, and charges what was to blame';

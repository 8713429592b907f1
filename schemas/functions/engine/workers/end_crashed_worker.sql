-- Ends a worker whose process crashed; the parent of that process calls it. The flight recorder of the process says
-- what is to blame: one attempt (c_run and the parameters after it), which ends as failed with the parent's report
-- (F1); or, without c_run, nobody: then the attempts that ran (s_run and the parameters after it) are suspects, and
-- none is charged (F10). The worker keeps the runs of suspects, and suspect elements of shares, for p_kept_ms, in which
-- a worker that holds a trial takes them over (weir.claim_suspects); weir.sweep frees what nobody took, and
-- weir.give_up_trial does so where none will. Other attempts in flight are not charged, and other runs and shares can
-- be had at once.
-- Only attempts that the worker reported as in flight, and that are still its own, are charged or suspects. Returns
-- false when the worker had ended before: then nothing is changed, so that the call may be repeated, or follow a sweep.
-- With p_host and p_pid, a worker of any other process is left alone, too: its id was read from what the process that
-- crashed may have written over.
create or replace function weir.end_crashed_worker(
  p_worker bigint, c_run bigint, c_step smallint, c_index integer, c_attempt smallint,
  c_error_code text, c_error text,
  s_run bigint[], s_step smallint[], s_index integer[], s_attempt smallint[], p_kept_ms bigint default 60000,
  p_host text default null, p_pid integer default null)
returns boolean
language plpgsql
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
set lock_timeout = '1s'
as $$
declare
  v_dead   weir.worker%rowtype;
  v_held   bigint[];
  v_kept   bigint[];
  v_shares bigint[];
  v_all    boolean := true;  -- its shares are locked
  v_freed  boolean;          -- it keeps nothing
begin
  select * into v_dead from weir.worker w where w.id = p_worker and w.ended_at is null
    and ((p_host is null and p_pid is null) or (w.host, w.pid) = (p_host, p_pid))
  for update;
  if not found then return false; end if;
  -- Its sessions ended with it: what its handlers were settling is committed or rolled back in a moment (C9).
  begin
    v_held := weir.lock_runs(p_worker, true);
    perform weir.lock_shares(p_worker, true);
  exception when lock_not_available then  -- somebody else has locked something: it is left to weir.sweep (L8)
    v_held := weir.lock_runs(p_worker, false);
    v_all := false;
  end;

  insert into weir.journal
    (run_id, step, task_index, attempt, outcome, error_code, error, started_at, ended_at, worker_id, plugin_id)
  select f.run_id, f.step, f.task_index, f.attempt, weir.outcome('failed'), c_error_code, c_error,
         clock_timestamp(), clock_timestamp(), v_dead.id, f.plugin_id
  from weir.in_flight_of(p_worker) as f
  where (f.run_id, f.step, f.task_index, f.attempt) = (c_run, c_step, c_index, c_attempt)
  on conflict do nothing;  -- it reported an attempt that it had journaled: its runs are released all the same

  v_kept := array(
    select distinct f.run_id
    from weir.in_flight_of(p_worker) as f
    join weir.open_run o on o.run_id = any (array[f.run_id])
    where c_run is null and f.run_id = any (v_held) and o.cancel_reason is null
      and (f.run_id, f.step, f.task_index, f.attempt)
          in (select * from unnest(s_run, s_step, s_index, s_attempt)));
  v_shares := case when v_all then weir.cut_shares(p_worker, s_run, s_step, s_index, s_attempt) else '{}' end;
  v_freed := weir.release_runs(
    p_worker, array(select h from unnest(v_held) as h where h <> all (v_kept)),
    array(select s.id from weir.share s where v_all and s.worker_id = p_worker and s.id <> all (v_shares)));

  update weir.worker w
  set ended_at = clock_timestamp(), end_reason = 'crashed', idle = false, keeps_runs = not v_freed,
      lease_until = case when v_kept || v_shares = '{}' then clock_timestamp()
                         else clock_timestamp() + weir.lease_time(p_kept_ms) end,
      in_flight_run = '{}', in_flight_step = '{}', in_flight_index = '{}', in_flight_attempt = '{}',
      in_flight_plugin = '{}'
  where w.id = p_worker;
  perform weir.wake_workers();
  return true;
end $$;
comment on function weir.end_crashed_worker is 'ends a worker whose process crashed, and charges what was to blame';

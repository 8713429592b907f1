-- Keeps a run with its worker until the end of the transaction, or the share of an attempt, while the worker's
-- exchanges continue: for what takes long to write (weir.record_large_result). Without an attempt: of a whole run. What
-- takes a run or a share from its worker locks its row for update. busy: somebody has locked it, and it is not kept.
-- shared: the attempt is of a share, whose owner has to be notified. Errors: WR001 the lease is lost, or the worker
-- holds neither.
create or replace function weir.own_attempt(
  p_worker bigint, p_run bigint, p_step smallint, p_index integer, p_attempt smallint,
  out busy boolean, out shared boolean)
language plpgsql
set jit = off set enable_seqscan = off
as $$
declare
  v_kept boolean;
begin
  busy := false;
  shared := false;
  begin
    perform from weir.share s
    where s.run_id = p_run and s.step = p_step and s.attempt = p_attempt and s.worker_id = p_worker
      and p_index between s.first_index and s.last_index
    for key share nowait;
    shared := found;
    perform from weir.open_run o where o.run_id = p_run and o.worker_id = p_worker for key share nowait;
    v_kept := shared or found;
  exception when lock_not_available then
    busy := true;
    return;
  end;
  if not v_kept
     or not weir.is_alive(p_worker) then
    raise exception 'worker % has lost its lease, or run %', p_worker, p_run using errcode = 'WR001',
      hint = 'other workers have its runs now; it joins again as a new worker';
  end if;
end $$;
comment on function weir.own_attempt is 'keeps a run, or a share, with its worker for a transaction of its own';

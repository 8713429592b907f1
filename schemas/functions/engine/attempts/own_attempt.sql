-- Keeps a run with its worker until the end of the transaction, while the worker's exchanges continue: for what takes
-- long to write (weir.record_large_result, weir.record_large_end). p_share: keeps that share, which has the attempt,
-- and the run as well if it is the worker's; 0: the run. What takes a run or a share from its worker locks its row for
-- update. False: somebody has locked it, and it is not kept. Errors: WR001 the lease is lost, or the run, or the share.
create or replace function weir.own_attempt(
  p_worker bigint, p_run bigint, p_share bigint, p_step smallint, p_index integer, p_attempt smallint)
returns boolean
language plpgsql
set jit = off set enable_seqscan = off
as $$
begin
  perform from weir.open_run o where o.run_id = p_run and o.worker_id = p_worker for key share nowait;
  if p_share <> 0 then
    perform from weir.share s
    where s.id = p_share and s.worker_id = p_worker
      and s.run_id = p_run and s.step = p_step and s.attempt = p_attempt
      and p_index between s.first_index and s.last_index
    for key share nowait;
  end if;
  if not found
     or not weir.is_alive(p_worker) then
    raise exception 'worker % has lost its lease, or run %', p_worker, p_run using errcode = 'WR001',
      hint = 'other workers have its runs now; it joins again as a new worker';
  end if;
  return true;
exception when lock_not_available then
  return false;
end $$;
comment on function weir.own_attempt is 'keeps a run, or a share, with its worker for a transaction of its own';

-- Locks a run that a worker holds until the end of the transaction, so that it cannot go to another worker meanwhile,
-- while the worker's exchanges continue: for what takes long to write (weir.record_large_result). Returns whether it
-- did; false: somebody else has locked it. Errors: WR001 the lease is lost, or the worker does not hold the run.
create or replace function weir.own_run(p_worker bigint, p_run bigint) returns boolean
language plpgsql
set jit = off set enable_seqscan = off
as $$
begin
  begin
    perform from weir.open_run o where o.run_id = p_run and o.worker_id = p_worker for no key update nowait;
  exception when lock_not_available then
    return false;
  end;
  if not found
     or not exists (select from weir.worker w
                    where w.id = p_worker and w.ended_at is null and w.lease_until > clock_timestamp()) then
    raise exception 'worker % has lost its lease, or run %', p_worker, p_run using errcode = 'WR001',
      hint = 'other workers have its runs now; it joins again as a new worker';
  end if;
  return true;
end $$;
comment on function weir.own_run is 'locks a run that a worker holds, for a transaction of its own';

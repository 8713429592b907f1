-- Drops the shares of one step, for the owner of the run: it does not matter any more how its tasks end (F5). Workers
-- that hold some are refused from now on. Errors: WR001 lease lost, or the worker does not hold the run;
-- lock_not_available while a handler settles an element in an open transaction (C9): then repeat the call.
create or replace function weir.drop_shares(worker bigint, run bigint, step smallint) returns void
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
set lock_timeout = '1ms'
as $$
begin
  perform weir.check_lease(worker);
  if not exists (select from weir.open_run o where o.run_id = drop_shares.run and o.worker_id = worker) then
    raise exception 'run % is not held by worker %', run, worker using errcode = 'WR001',
      hint = 'only the worker that holds a run drops its shares';
  end if;
  perform weir.end_shares(array[run], step);
end $$;
comment on function weir.drop_shares is 'drops the shares of one step, for the owner of the run';

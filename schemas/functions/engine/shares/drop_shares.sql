-- The owner of a run drops the shares of one step: it does not matter any more how its tasks end (F5). Who holds
-- some is refused from now on. Errors: WR001 lease lost, or the run is not the worker's.
create or replace function weir.drop_shares(worker bigint, run bigint, step smallint) returns void
language plpgsql as $$
begin
  perform weir.check_lease(worker);
  if not exists (select from weir.open_run o where o.run_id = drop_shares.run and o.worker_id = worker) then
    raise exception 'run % is not held by worker %', run, worker using errcode = 'WR001',
      hint = 'only who holds a run drops what is shared of it';
  end if;
  perform weir.end_shares(array[run], step);
end $$;
comment on function weir.drop_shares is 'the owner of a run drops the shares of one step';

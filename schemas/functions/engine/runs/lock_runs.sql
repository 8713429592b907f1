-- Takes hold of the runs that a worker owns, when it ends: until this transaction does no handler can settle an
-- attempt of them in a transaction of its own (C9). Where p_waits is false, runs of which a handler has done so, and
-- has not committed, are left out: nobody is to wait for a transaction of somebody else's. Returns what it holds.
create or replace function weir.lock_runs(p_worker bigint, p_waits boolean) returns bigint[]
language plpgsql as $$
declare
  v_held bigint[];
begin
  if p_waits then
    select array_agg(h.run_id) into v_held
    from (select o.run_id from weir.open_run o where o.worker_id = p_worker order by o.run_id for update) as h;
  else
    select array_agg(h.run_id) into v_held
    from (select o.run_id from weir.open_run o where o.worker_id = p_worker order by o.run_id for update skip locked) as h;
  end if;
  return coalesce(v_held, '{}');
end $$;
comment on function weir.lock_runs is 'takes hold of the runs that a worker owns, when it ends';

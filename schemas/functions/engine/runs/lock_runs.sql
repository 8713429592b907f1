-- Locks the runs that a worker holds, when it ends: until the end of this transaction no handler can settle an attempt
-- of them in a transaction of its own (C9). Where p_waits is false, runs are left out of which a handler has settled
-- an attempt and has not committed yet: nothing waits for the transaction of a handler. Returns the locked runs.
create or replace function weir.lock_runs(p_worker bigint, p_waits boolean) returns bigint[]
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
declare
  v_held bigint[];
begin
  if p_waits then
    select array_agg(h.run_id) into v_held
    from (select o.run_id
          from weir.open_run o
          where o.worker_id = p_worker
          order by o.run_id
          for update) as h;
  else
    select array_agg(h.run_id) into v_held
    from (select o.run_id
          from weir.open_run o
          where o.worker_id = p_worker
          order by o.run_id
          for update skip locked) as h;
  end if;
  return coalesce(v_held, '{}');
end $$;
comment on function weir.lock_runs is 'locks the runs that a worker holds, when it ends';

-- Closes waits of a worker's runs whose time is over: from then on no signal is accepted for them (C4). The signal or
-- this call, whichever is first, counts: the key of weir.sent_signal decides. Returns a row for each wait that is
-- decided, with the payload of its signal, or null when there was none; repeating the call returns the same. A wait
-- whose run is being notified at this moment has no row: the worker asks again.
-- Errors: WR001 the worker's lease has lapsed; WR003 runs and steps are not two lists of one length.
create or replace function weir.close_waits(worker bigint, runs bigint[], steps smallint[])
returns table (run_id bigint, step smallint, payload jsonb)
language plpgsql
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
  v_held bigint[];
begin
  perform weir.check_lease(worker);
  if cardinality(runs) is distinct from cardinality(steps)
     or exists (select from unnest(steps) as s where s is null) then
    raise exception '% runs and % steps', coalesce(cardinality(runs)::text, 'null'),
      coalesce(cardinality(steps)::text, 'null') using errcode = 'WR003', hint = 'give a step for each run';
  end if;
  select array_agg(h.run_id) into v_held
  from (select o.run_id
        from weir.open_run o
        where o.run_id = any (runs) and o.worker_id = worker
        order by o.run_id
        for no key update skip locked) as h;
  if v_held is null then return; end if;
  insert into weir.sent_signal (run_id, step)
  select w.run_id, w.step
  from unnest(runs, steps) as w(run_id, step)
  where w.run_id = any (v_held)
  order by w.run_id, w.step
  on conflict do nothing;
  return query
  select s.run_id, s.step, s.payload
  from unnest(runs, steps) as w(run_id, step)
  join weir.sent_signal s on s.run_id = any (array[w.run_id]) and s.step = w.step
  where w.run_id = any (v_held);
end $$;
comment on function weir.close_waits is
  'closes waits whose time is over; the payload of each that was signalled before';

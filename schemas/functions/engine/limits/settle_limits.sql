-- Gives open runs the key and the flow that the limits of their flow need, after the limits changed: runs that existed
-- before, and runs that other transactions opened at that moment, without seeing the new limits. It is called
-- repeatedly. A flow is finished for good once all transactions have ended that were open at the first call which found
-- no row locked by others: calls until then read nothing, and one after it reads all runs again. The limits themselves
-- are not locked, so that claims continue meanwhile; weir.claim_limited corrects the head of the queue itself. Returns
-- how many flows are not finished.
create or replace function weir.settle_limits() returns integer
language plpgsql as $$
declare
  v_limit   weir.flow_limit%rowtype;
  v_begun   xid8;
  v_last    boolean;
  v_skipped bigint;
  v_left    integer := 0;
begin
  for v_limit in select * from weir.flow_limit l where not l.settled order by l.flow_id loop
    v_begun := pg_snapshot_xmax(pg_current_snapshot());
    v_last := v_limit.settled_by <= pg_snapshot_xmin(pg_current_snapshot());
    if v_last is false then
      v_left := v_left + 1;
      continue;
    end if;
    with wrong as materialized (
      select o.run_id, weir.limit_key(v_limit.key_path, r.input) as limit_key,
             case when o.worker_id is not null then v_limit.flow_id end as limit_flow
      from weir.version v
      join weir.open_run o on o.version_id = v.id
      join weir.run r on r.id = any (array[o.run_id])
      where v.flow_id = v_limit.flow_id
        and (o.limit_key is distinct from weir.limit_key(v_limit.key_path, r.input)
             or (o.worker_id is not null and o.limit_flow is null))),
    free as materialized (
      select o.run_id
      from weir.open_run o
      join wrong w on w.run_id = o.run_id
      order by o.run_id
      for update of o skip locked),
    settled as (
      update weir.open_run o
      set limit_key = w.limit_key, limit_flow = coalesce(w.limit_flow, o.limit_flow)
      from free f
      join wrong w on w.run_id = f.run_id
      where o.run_id = any (array[f.run_id])
      returning o.run_id)
    select (select count(*) from wrong) - count(*) into v_skipped from settled;
    -- Whoever is changing the limits has the flow settled again.
    perform from weir.flow_limit l where l.flow_id = v_limit.flow_id for no key update skip locked;
    if not found then
      v_left := v_left + 1;
      continue;
    end if;
    update weir.flow_limit l
    set settled_by = case when v_skipped = 0 then coalesce(l.settled_by, v_begun) end,
        settled = v_last is true and v_skipped = 0
    where l.flow_id = v_limit.flow_id and l.set_at = v_limit.set_at;
    v_left := v_left + (v_last is not true or v_skipped > 0)::integer;
    perform pg_notify('weir_ready', '');
  end loop;
  return v_left;
end $$;
comment on function weir.settle_limits is 'gives open runs the key and the flow that the new limits of their flow need';

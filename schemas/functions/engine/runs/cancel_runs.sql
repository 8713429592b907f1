-- Ends open runs as cancelled (C1). Runs that no worker holds end at once, with their child runs. For the others the
-- worker is notified: it ends them, and their child runs with them. Parents that continue are notified of the end.
-- Rows are locked in order of id, which is parents before children.
create or replace function weir.cancel_runs(p_runs bigint[], p_reason text) returns void
language plpgsql
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
as $$
declare
  v_tree     bigint[] := '{}';
  v_found    bigint[];
  v_notified bigint[];
  v_closed   bigint[];
begin
  loop  -- until no child run was started while the lock of its parent was waited for
    with recursive tree as (
      select u.run_id from unnest(p_runs) as u(run_id)
      union
      select o.run_id
      from tree t
      join weir.run r on r.parent_run = any (array[t.run_id])
      join weir.open_run o on o.run_id = any (array[r.id]))
    select coalesce(array_agg(t.run_id order by t.run_id), '{}') into v_found from tree t;
    exit when v_found = v_tree;
    v_tree := v_found;
    perform from weir.open_run o where o.run_id = any (v_tree) order by o.run_id for no key update;
  end loop;

  with recursive reached as (
    select o.run_id, o.worker_id from weir.open_run o where o.run_id = any (p_runs)
    union
    select o.run_id, o.worker_id
    from reached c
    join weir.run r on r.parent_run = any (array[c.run_id])
    join weir.open_run o on o.run_id = any (array[r.id])
    where c.worker_id is null)
  select coalesce(array_agg(c.run_id) filter (where c.worker_id is not null), '{}'),
         coalesce(array_agg(c.run_id order by c.run_id) filter (where c.worker_id is null), '{}')
  into v_notified, v_closed
  from reached c;

  update weir.open_run o
  set cancel_reason = coalesce(o.cancel_reason, case when o.run_id = any (p_runs) then p_reason
                                                     else 'its parent run was cancelled' end)
  where o.run_id = any (v_notified);

  with closed as (
    delete from weir.open_run o where o.run_id = any (v_closed) returning o.run_id, o.started_at),
  ended as (
    update weir.run r
    set status = 3,
        error = case when c.run_id = any (p_runs) then p_reason else 'its parent run was cancelled' end,
        started_at = c.started_at, ended_at = clock_timestamp()  -- now that it is locked
    from closed c
    where r.id = any (array[c.run_id])
    returning r.parent_run)
  select v_notified || coalesce(array_agg(distinct e.parent_run) filter (where e.parent_run is not null), '{}')
  into v_notified
  from ended e;
  if cardinality(v_closed) > 0 then perform weir.runs_ended(v_closed, false); end if;
  if cardinality(v_notified) > 0 then perform weir.notify_runs(v_notified); end if;
  if cardinality(v_closed) > 0 then
    perform weir.number_child_ends(v_closed);
    -- No worker holds them that could (E1); parents before children.
    perform weir.publish_events(v_closed, array_fill('run:cancelled'::text, array[cardinality(v_closed)]));
  end if;
end $$;
comment on function weir.cancel_runs is 'ends open runs as cancelled: at once, or by the worker that holds them';

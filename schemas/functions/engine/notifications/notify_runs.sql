-- Notifies the workers of these runs of a cancel, a signal or the end of a child run. A run that no worker holds is
-- claimable at once, unless it was never begun: then it waits as long as its start said. Runs that are over are left
-- out. To be called in the transaction that wrote the cancel, the signal or the end.
create or replace function weir.notify_runs(p_runs bigint[]) returns void
language plpgsql
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
as $$
declare
  v_workers bigint[];
  v_unowned boolean;
begin
  with locked as materialized (
    select o.run_id from weir.open_run o where o.run_id = any (p_runs) order by o.run_id for no key update),
  marked as (
    update weir.open_run o
    set news = o.news + 1,
        wake_at = case when o.worker_id is null and o.claims > 0 then null else o.wake_at end
    from locked t
    where o.run_id = any (array[t.run_id])
    returning o.worker_id)
  select array_agg(distinct m.worker_id) filter (where m.worker_id is not null), bool_or(m.worker_id is null)
  into v_workers, v_unowned
  from marked m;
  perform pg_notify('weir_told', w::text) from unnest(v_workers) as w;
  if v_unowned then perform weir.wake_workers(); end if;
end $$;
comment on function weir.notify_runs is
  'notifies the workers of these runs of a cancel, a signal or the end of a child run';

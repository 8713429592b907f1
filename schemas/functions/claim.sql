-- Gives a worker runs of these versions, by priority and age: the part of weir.exchange that hands out.
-- `missed` says how many more there would have been, were others not just taking them.
create or replace function weir.claim(
  p_worker bigint, p_sequence bigint, p_versions integer[], p_claims_max integer, p_now timestamptz,
  out claimed bigint[], out missed integer)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key, whatever the tables' sizes
as $$
begin
  update weir.open_run o set wake_at = null
  where o.run_id in (
    select s.run_id from weir.open_run s where s.worker_id is null and s.wake_at <= p_now
    order by s.wake_at limit 1000 for update skip locked);

  with candidate as materialized (
    select c.run_id
    from unnest(p_versions) as v(id)
    cross join lateral (
      select o.run_id, o.priority from weir.open_run o
      where o.version_id = v.id and o.worker_id is null and o.wake_at is null
      order by o.priority desc, o.run_id limit p_claims_max) as c
    order by c.priority desc, c.run_id limit p_claims_max),
  free as materialized (
    -- coalesce keeps the planner from open_run_claimable: these rows are to be had by key.
    select o.run_id from candidate c join weir.open_run o on o.run_id = c.run_id
    where coalesce(o.worker_id, 0) = 0 and o.wake_at is null
    order by o.run_id for update of o skip locked),
  taken as (
    update weir.open_run o
    set worker_id = p_worker, claimed_in = p_sequence, claims = o.claims + 1,
        started_at = coalesce(o.started_at, p_now)
    from free f where o.run_id = f.run_id
    returning o.run_id)
  select coalesce(array_agg(t.run_id), '{}'), (select count(*) from candidate) - count(*)
  into claimed, missed from taken t;
end $$;

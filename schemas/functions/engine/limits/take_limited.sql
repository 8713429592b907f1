-- The end of weir.claim where limits allow some runs (weir.claim_limited gave them, with their flows and keys): they
-- compete with runs of versions without limits by priority and age. Those that are taken count against their rates.
create or replace function weir.take_limited(
  p_worker bigint, p_sequence bigint, p_runs bigint[], p_flows integer[], p_keys text[], p_versions integer[],
  p_claims_max integer, p_now timestamptz,
  out claimed bigint[], out claims integer[], out missed integer)
language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off  -- by key, in order, whatever the statistics say
as $$
declare
  v_versions integer[];
  v_counts   integer[];
  v_flows integer[];
  v_keys  text[];
begin
  select c.versions, c.counts into v_versions, v_counts from weir.claim_counts(p_versions, p_claims_max) as c;
  with candidate as materialized (
    select c.run_id, c.flow_id
    from (
      select c.run_id, c.priority, null::integer as flow_id
      from unnest(v_versions, v_counts) as v(id, count)
      cross join lateral (
        select o.run_id, o.priority
        from weir.open_run o
        where o.version_id = v.id and o.worker_id is null and o.wake_at is null
        order by o.priority desc, o.run_id
        limit v.count) as c
      union all
      select l.run_id, o.priority, l.flow_id
      from unnest(p_runs, p_flows) as l(run_id, flow_id)
      join weir.open_run o on o.run_id = any (array[l.run_id])) as c
    order by c.priority desc, c.run_id
    limit p_claims_max),
  free as materialized (
    -- coalesce keeps the planner from open_run_claimable: these rows are to be read by key.
    select o.run_id, c.flow_id
    from candidate c
    join weir.open_run o on o.run_id = any (array[c.run_id])
    where coalesce(o.worker_id, 0) = 0 and o.wake_at is null
      and o.version_id <> all (array(  -- they may have been paused since weir.exchange looked
        select v.id
        from (select p.id from weir.flow p where p.paused_at is not null offset 0) as f
        join weir.version v on v.flow_id = any (array[f.id])))
    order by c.run_id
    for update of o skip locked),
  taken as (
    update weir.open_run o
    set worker_id = p_worker, claimed_in = p_sequence, claims = o.claims + 1,
        started_at = coalesce(o.started_at, p_now), limit_flow = f.flow_id
    from free f
    where o.run_id = any (array[f.run_id])
    returning o.run_id, o.claims)
  select coalesce(array_agg(t.run_id), '{}'), array_agg(t.claims), (select count(*) from candidate) - count(*)
  into claimed, claims, missed
  from taken t;

  select array_agg(l.flow_id), array_agg(l.limit_key) into v_flows, v_keys
  from unnest(p_runs, p_flows, p_keys) as l(run_id, flow_id, limit_key)
  where l.run_id = any (claimed);
  if v_flows is not null then perform weir.charge_limits(v_flows, v_keys, p_now); end if;
end $$;
comment on function weir.take_limited is 'gives a worker runs, some of which are under limits';

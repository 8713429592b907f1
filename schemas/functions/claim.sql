-- Gives a worker runs of these versions, by priority and age: the part of weir.exchange that hands out.
-- `missed` says how many more there would have been, were others not just taking them; `next_at` when a limit will
-- let go of some (C6).
create or replace function weir.claim(
  p_worker bigint, p_sequence bigint, p_versions integer[], p_claims_max integer, p_now timestamptz,
  out claimed bigint[], out missed integer, out next_at timestamptz)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key, whatever the tables' sizes
as $$
declare
  v_versions integer[] := p_versions;
  v_limited  integer[];  -- those of them that have limits
  v_runs     bigint[] := '{}';
  v_flows    integer[];
  v_keys     text[];
begin
  update weir.open_run o set wake_at = null
  where o.run_id in (
    select s.run_id from weir.open_run s where s.worker_id is null and s.wake_at <= p_now
    order by s.wake_at limit 1000 for update skip locked);

  select array_agg(v.id) into v_limited
  from weir.flow_limit l join weir.version v on v.flow_id = l.flow_id where v.id = any (p_versions);
  if v_limited is not null then
    v_versions := array(select v.id from unnest(p_versions) as v(id) where v.id <> all (v_limited));
    select c.runs, c.flows, c.turns, c.next_at into v_runs, v_flows, v_keys, next_at
    from weir.claim_limited(v_limited, p_claims_max, p_now) as c;
  end if;

  with candidate as materialized (
    select c.run_id, c.flow_id from (
      select c.run_id, c.priority, null::integer as flow_id
      from unnest(v_versions) as v(id)
      cross join lateral (
        select o.run_id, o.priority from weir.open_run o
        where o.version_id = v.id and o.worker_id is null and o.wake_at is null
        order by o.priority desc, o.run_id limit p_claims_max) as c
      union all
      select l.run_id, o.priority, l.flow_id
      from unnest(v_runs, v_flows) as l(run_id, flow_id) join weir.open_run o on o.run_id = l.run_id) as c
    order by c.priority desc, c.run_id limit p_claims_max),
  free as materialized (
    -- coalesce keeps the planner from open_run_claimable: these rows are to be had by key.
    select o.run_id, c.flow_id from candidate c join weir.open_run o on o.run_id = c.run_id
    where coalesce(o.worker_id, 0) = 0 and o.wake_at is null
    order by o.run_id for update of o skip locked),
  taken as (
    update weir.open_run o
    set worker_id = p_worker, claimed_in = p_sequence, claims = o.claims + 1,
        started_at = coalesce(o.started_at, p_now), limit_flow = f.flow_id
    from free f where o.run_id = f.run_id
    returning o.run_id)
  select coalesce(array_agg(t.run_id), '{}'), (select count(*) from candidate) - count(*)
  into claimed, missed from taken t;

  if cardinality(v_runs) > 0 then
    select array_agg(l.flow_id), array_agg(l.limit_key) into v_flows, v_keys
    from unnest(v_runs, v_flows, v_keys) as l(run_id, flow_id, limit_key) where l.run_id = any (claimed);
    if v_flows is not null then perform weir.charge_limits(v_flows, v_keys, p_now); end if;
  end if;
end $$;
comment on function weir.claim is 'gives a worker runs of these versions, by priority and age';

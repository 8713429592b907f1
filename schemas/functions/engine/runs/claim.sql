-- Gives a worker runs of these versions, by priority and age: the part of weir.exchange that claims.
-- `claims`: how many workers each of them has had, with this one; `missed` is how many more runs there would have been
-- if other workers were not claiming them at this moment;
-- `next_at` is when a limit allows more (C6), or now when more sleeping runs may be due.
create or replace function weir.claim(
  p_worker bigint, p_sequence bigint, p_versions integer[], p_claims_max integer, p_now timestamptz,
  out claimed bigint[], out claims integer[], out missed integer, out next_at timestamptz)
language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off  -- by key, in order, whatever the statistics say
as $$
declare
  v_versions integer[] := p_versions;
  v_due      boolean;    -- some of what sleeps is due
  v_limits   boolean;
  v_next     record;     -- of which of them runs are next, and how many of each
  v_limited  integer[];  -- those of them that have limits
  v_runs     bigint[];   -- what their limits allow
  v_flows    integer[];
  v_keys     text[];
  v_woken    integer;
  v_next_at  timestamptz;  -- when limits allow more
begin
  select exists (select from weir.open_run s where s.worker_id is null and s.wake_at <= p_now),
         exists (select from weir.flow_limit)  -- usually there is none: this reads an empty table
  into v_due, v_limits;
  if v_due then
    with due as materialized (
      select s.run_id
      from weir.open_run s
      where s.worker_id is null and s.wake_at <= p_now
      order by s.wake_at
      limit 1000
      for update skip locked)
    update weir.open_run o
    set wake_at = null
    from due d
    where o.run_id = any (array[d.run_id]);
    get diagnostics v_woken = row_count;
    if v_woken = 1000 then next_at := p_now; end if;  -- there may be more
  end if;

  if v_limits then
    v_limited := array(
      select v.id
      from weir.flow_limit l
      join weir.version v on v.flow_id = l.flow_id
      where v.id = any (p_versions));
    v_versions := array(select v.id from unnest(p_versions) as v(id) where v.id <> all (v_limited));
    select c.runs, c.flows, c.turns, c.next_at into v_runs, v_flows, v_keys, v_next_at
    from weir.claim_limited(v_limited, p_claims_max, p_now) as c;
    next_at := least(next_at, v_next_at);
    if cardinality(v_runs) > 0 then
      select t.claimed, t.claims, t.missed into claimed, claims, missed
      from weir.take_limited(p_worker, p_sequence, v_runs, v_flows, v_keys, v_versions, p_claims_max, p_now) as t;
      return;
    end if;
  end if;

  v_next := weir.claim_counts(v_versions, p_claims_max);
  with free as materialized (
    -- Locked as they are found: what other workers are claiming at this moment is passed over.
    select f.run_id
    from unnest(v_next.versions, v_next.counts) as v(id, count)
    cross join lateral (
      select o.run_id
      from weir.open_run o
      where o.version_id = v.id and o.worker_id is null and o.wake_at is null
      order by o.priority desc, o.run_id
      limit v.count
      for update skip locked) as f
    where v.id <> all (array(  -- they may have been paused since weir.exchange looked
      select p.id
      from (select q.id from weir.flow q where q.paused_at is not null offset 0) as f
      join weir.version p on p.flow_id = any (array[f.id])))),
  taken as (
    update weir.open_run o
    set worker_id = p_worker, claimed_in = p_sequence, claims = o.claims + 1,
        started_at = coalesce(o.started_at, p_now)
    from free f
    where o.run_id = any (array[f.run_id])
    returning o.run_id, o.claims)
  select coalesce(array_agg(t.run_id), '{}'), array_agg(t.claims) into claimed, claims from taken t;

  missed := 0;
  if cardinality(claimed) < p_claims_max then  -- what waits still is what others are claiming
    select count(*) into missed
    from (
      select from weir.open_run o
      where o.version_id = any (v_next.versions) and o.worker_id is null and o.wake_at is null
      limit p_claims_max - cardinality(claimed)) as w;
  end if;
end $$;
comment on function weir.claim is 'gives a worker runs of these versions';

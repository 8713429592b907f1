-- Which runs of flows under limits may be claimed now, at most p_claims_max (C6), with their flows and keys, by
-- priority, age and turn; for weir.claim, which takes them. The rows of the limits are locked until the transaction
-- ends, so that workers claim runs of a flow one after the other. Each key has its turn: a key whose places are taken
-- does not hold up the next ones. A call scans at most 500 keys, and leaves out limits that are locked, by another
-- claim or by somebody who is changing them; `next_at` says when to call again, for these reasons or for a rate.
create or replace function weir.claim_limited(
  p_versions integer[], p_claims_max integer, p_now timestamptz,
  out runs bigint[], out flows integer[], out turns text[], out next_at timestamptz)
language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off  -- by key, in order, whatever the statistics say
as $$
declare
  v_limit    weir.flow_limit%rowtype;
  v_flows    integer[];  -- those with a run that waits
  v_versions integer[];
  v_places   bigint;
  v_key      text;
  v_begin    text;
  v_round    boolean;  -- past the last key
  v_allowed  bigint;
  v_tat      timestamptz;
  v_keys     text[];
  v_allow    bigint[];
  v_scans    integer;
  v_runs     bigint[];
  v_turns    text[];
  v_locked   integer := 0;
begin
  runs := '{}';
  flows := '{}';
  turns := '{}';
  v_flows := array(
    select distinct v.flow_id
    from unnest(p_versions) as p(id)
    join weir.version v on v.id = any (array[p.id])
    cross join lateral (
      select from weir.open_run o
      where o.version_id = p.id and o.worker_id is null and o.wake_at is null
      limit 1) as waiting);
  for v_limit in
    select l.* from weir.flow_limit l where l.flow_id = any (v_flows) order by l.flow_id for update skip locked
  loop
    v_locked := v_locked + 1;
    v_versions := array(select v.id from weir.version v where v.flow_id = v_limit.flow_id and v.id = any (p_versions));
    if v_limit.key is not null and not v_limit.settled then  -- weir.settle_limits will reach all runs
      with head as materialized (
        select h.run_id
        from unnest(v_versions) as v(id)
        cross join lateral (
          select o.run_id
          from weir.open_run o
          where o.version_id = v.id and o.worker_id is null and o.wake_at is null
          order by o.priority desc, o.run_id
          limit 500) as h),
      free as materialized (
        select o.run_id
        from head h
        join weir.open_run o on o.run_id = any (array[h.run_id])
        order by h.run_id
        for update of o skip locked)
      update weir.open_run o
      set limit_key = weir.limit_key(v_limit.key_path, r.input)
      from free f
      join weir.run r on r.id = any (array[f.run_id])
      where o.run_id = any (array[f.run_id]) and o.limit_key is distinct from weir.limit_key(v_limit.key_path, r.input);
    end if;
    v_places := p_claims_max;
    if v_limit.max_running is not null then
      v_places := least(v_places, v_limit.max_running - (
        select count(*)
        from (select from weir.open_run o
              where o.limit_flow = v_limit.flow_id and o.worker_id is not null
              limit v_limit.max_running) as held));
    end if;
    continue when v_places <= 0;
    if v_limit.rate is not null then
      v_allowed := weir.rate_left(v_limit.tat, v_limit.rate, v_limit.rate_per, p_now);
      if v_allowed = 0 then
        next_at := least(next_at, v_limit.tat + v_limit.rate_per / v_limit.rate - v_limit.rate_per);
        continue;
      end if;
      v_places := least(v_places, v_allowed);
    end if;

    if v_limit.key is null then
      v_runs := array(
        select c.run_id
        from unnest(v_versions) as v(id)
        cross join lateral (
          select o.run_id, o.priority
          from weir.open_run o
          where o.version_id = v.id and o.worker_id is null and o.wake_at is null
          order by o.priority desc, o.run_id
          limit v_places) as c
        order by c.priority desc, c.run_id
        limit v_places);
      v_turns := array_fill(null::text, array[cardinality(v_runs)]);
    else
      v_begin := v_limit.turn;
      v_key := v_begin;
      v_round := false;
      v_keys := '{}';
      v_allow := '{}';
      for scan in 1 .. 500 loop
        v_scans := scan;
        select min(k.limit_key) into v_key
        from unnest(v_versions) as v(id)
        cross join lateral (
          select o.limit_key
          from weir.open_run o
          where o.version_id = v.id and o.worker_id is null and o.wake_at is null and o.limit_key > v_key
          order by o.limit_key
          limit 1) as k;
        if v_key is null then
          exit when v_round;
          v_round := true;
          v_key := '';
          continue;
        end if;
        exit when v_round and v_key > v_begin;
        v_allowed := v_places;
        if v_key <> '-' and v_limit.key_max_running is not null then
          v_allowed := least(v_allowed, v_limit.key_max_running - (
            select count(*)
            from (select from weir.open_run o
                  where o.limit_flow = v_limit.flow_id and o.limit_key = v_key and o.worker_id is not null
                  limit v_limit.key_max_running) as held));
        end if;
        if v_key <> '-' and v_limit.key_rate is not null and v_allowed > 0 then
          v_tat := (select k.tat from weir.key_rate k where k.flow_id = v_limit.flow_id and k.key = v_key);
          v_allowed := least(v_allowed, weir.rate_left(v_tat, v_limit.key_rate, v_limit.key_rate_per, p_now));
          if v_allowed = 0 then
            next_at := least(next_at, v_tat + v_limit.key_rate_per / v_limit.key_rate - v_limit.key_rate_per);
          end if;
        end if;
        continue when v_allowed <= 0;
        v_keys := v_keys || v_key;
        v_allow := v_allow || v_allowed;
        exit when cardinality(v_keys) >= v_places;
      end loop;
      if v_scans = 500 and cardinality(v_keys) < v_places then
        next_at := least(next_at, p_now + interval '20 ms');
      else
        v_key := v_keys[1 + (v_places - 1) % nullif(cardinality(v_keys), 0)];  -- the key that is served last
      end if;
      update weir.flow_limit l set turn = v_key where l.flow_id = v_limit.flow_id and l.turn <> v_key;
      select coalesce(array_agg(c.run_id order by c.priority desc, c.turn, c.place), '{}'),
             coalesce(array_agg(c.key order by c.priority desc, c.turn, c.place), '{}')
      into v_runs, v_turns
      from (
        select t.*, k.key, k.place
        from unnest(v_keys, v_allow) with ordinality as k(key, allowed, place)
        cross join lateral (
          select q.run_id, q.priority, row_number() over (order by q.priority desc, q.run_id) as turn
          from unnest(v_versions) as v(id)
          cross join lateral (
            select o.run_id, o.priority
            from weir.open_run o
            where o.version_id = v.id and o.worker_id is null and o.wake_at is null and o.limit_key = k.key
            order by o.priority desc, o.run_id
            limit k.allowed) as q
          order by q.priority desc, q.run_id
          limit k.allowed) as t
        order by t.priority desc, t.turn, k.place
        limit v_places) as c;
    end if;
    runs := runs || v_runs;
    turns := turns || v_turns;
    flows := flows || array_fill(v_limit.flow_id, array[cardinality(v_runs)]);
  end loop;
  if v_locked < cardinality(v_flows) then next_at := least(next_at, p_now + interval '20 ms'); end if;
end $$;
comment on function weir.claim_limited is 'which runs of flows under limits may be claimed now';

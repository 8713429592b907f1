-- Of which of these versions runs wait to be claimed, and how many of each are among the first p_claims_max of all by
-- priority and age: for weir.claim and weir.take_limited, so that what a claim reads grows with the sum of versions and
-- runs, and not with their product. Of a single version it is not looked whether and how many wait.
create or replace function weir.claim_counts(
  p_versions integer[], p_claims_max integer, out versions integer[], out counts integer[])
language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off  -- by key, in order, whatever the statistics say
as $$
declare
  v_depths integer[];  -- how many runs of each to look at
  v_more   boolean;
begin
  if cardinality(p_versions) = 1 then
    versions := p_versions;
    counts := array[p_claims_max];
    return;
  end if;

  -- The first run of each version, by one step of the index from version to version. Only those whose first run is
  -- among the first p_claims_max of these have any of the runs that are next.
  versions := array(
    with recursive waiting as (
      (select o.version_id, o.priority, o.run_id
       from weir.open_run o
       where o.worker_id is null and o.wake_at is null
       order by o.version_id, o.priority desc, o.run_id
       limit 1)
      union all
      select n.version_id, n.priority, n.run_id
      from waiting w
      cross join lateral (
        select o.version_id, o.priority, o.run_id
        from weir.open_run o
        where o.worker_id is null and o.wake_at is null and o.version_id > w.version_id
        order by o.version_id, o.priority desc, o.run_id
        limit 1) as n)
    select f.version_id
    from (select w.version_id from waiting w order by w.priority desc, w.run_id offset 0) as f
    where f.version_id = any (p_versions)  -- looked up in a list: so for no more versions than it takes
    limit p_claims_max);
  if cardinality(versions) = 0 then
    counts := '{}';
    return;
  end if;

  v_depths := array_fill(least(p_claims_max, greatest(4, 2 * p_claims_max / cardinality(versions))),
                         array[cardinality(versions)]);
  loop
    with candidate as (
      select v.id, v.depth
      from unnest(versions, v_depths) as v(id, depth)
      cross join lateral (
        select o.run_id, o.priority
        from weir.open_run o
        where o.version_id = v.id and o.worker_id is null and o.wake_at is null
        order by o.priority desc, o.run_id
        limit v.depth) as c
      order by c.priority desc, c.run_id
      limit p_claims_max),
    kept as (
      select c.id, c.depth, count(*)::integer as count, count(*) = c.depth and c.depth < p_claims_max as cut
      from candidate c
      group by c.id, c.depth)
    select array_agg(k.id), array_agg(k.count),
           array_agg(case when k.cut then least(4 * k.depth, p_claims_max) else k.depth end), bool_or(k.cut)
    into versions, counts, v_depths, v_more
    from kept k;
    exit when v_more is not true;  -- null: others have claimed all of them meanwhile
  end loop;
  versions := coalesce(versions, '{}');
  counts := coalesce(counts, '{}');
end $$;
comment on function weir.claim_counts is 'of which versions runs wait, and how many of each are next';

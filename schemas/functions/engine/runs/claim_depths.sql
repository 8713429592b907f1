-- Of which of these versions runs wait to be claimed, and how many of each are among the first p_claims_max of all by
-- priority and age (or more): for weir.claim and weir.take_limited, so that what a claim reads grows with the sum of
-- versions and runs, and not with their product.
create or replace function weir.claim_depths(
  p_versions integer[], p_claims_max integer, out versions integer[], out depths integer[])
language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off  -- by key, in order, whatever the statistics say
as $$
declare
  v_more boolean;
begin
  if cardinality(p_versions) <= 2 then
    versions := p_versions;
    depths := array_fill(p_claims_max, array[cardinality(p_versions)]);
    return;
  end if;

  versions := array(
    with recursive waiting as (
      select (select o.version_id
              from weir.open_run o
              where o.worker_id is null and o.wake_at is null
              order by o.version_id
              limit 1) as id
      union all
      select (select o.version_id
              from weir.open_run o
              where o.worker_id is null and o.wake_at is null and o.version_id > w.id
              order by o.version_id
              limit 1)
      from waiting w
      where w.id is not null)
    select w.id from waiting w where w.id = any (p_versions));
  if cardinality(versions) = 0 then
    depths := '{}';
    return;
  end if;

  depths := array_fill(least(p_claims_max, greatest(4, 2 * p_claims_max / cardinality(versions))),
                       array[cardinality(versions)]);
  loop
    with candidate as (
      select v.id, v.depth
      from unnest(versions, depths) as v(id, depth)
      cross join lateral (
        select o.run_id, o.priority
        from weir.open_run o
        where o.version_id = v.id and o.worker_id is null and o.wake_at is null
        order by o.priority desc, o.run_id
        limit v.depth) as c
      order by c.priority desc, c.run_id
      limit p_claims_max),
    kept as (
      select c.id, c.depth, count(*) = c.depth and c.depth < p_claims_max as cut
      from candidate c
      group by c.id, c.depth)
    select array_agg(k.id), array_agg(case when k.cut then least(4 * k.depth, p_claims_max) else k.depth end),
           bool_or(k.cut)
    into versions, depths, v_more
    from kept k;
    exit when v_more is not true;  -- null: others have claimed all of them meanwhile
  end loop;
  versions := coalesce(versions, '{}');
  depths := coalesce(depths, '{}');
end $$;
comment on function weir.claim_depths is 'of which versions runs wait, and how many of each a claim has to look at';

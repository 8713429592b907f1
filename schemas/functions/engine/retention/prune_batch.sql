-- Deletes one batch of old runs (C7): at most p_batch finished runs that ended longer ago than the age of their flow
-- (p_flows, p_ages) or else p_age; null keeps them. Their journal, signals, idempotency keys and child runs are deleted
-- with them. A run with a child run that is not over stays, and a child run stays as long as its parent; so does a run
-- that somebody else's transaction has locked, for now. The batch begins after the run p_after and goes by age: call it
-- again with the `after` and `whole_until` that it returned, each call in a transaction of its own, until `finished`.
-- It reads runs that were created before the age of their flow, and not those that are kept for their age.
-- whole_until: runs before it leave their journal to be dropped with its partition, because none of them stays.
-- The last batch also drops such partitions, and deletes rows of workers that ended before the oldest remaining run was
-- created.
-- p_dry: only counts runs and rows of the journal (not partitions and workers).
create or replace function weir.prune_batch(
  p_age interval, p_flows text[], p_ages interval[], p_batch integer, p_after bigint, p_whole_until bigint,
  p_dry boolean,
  out runs bigint, out journal_rows bigint, out partitions integer, out workers bigint,
  out after bigint, out whole_until bigint, out finished boolean)
language plpgsql
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
as $$
#variable_conflict use_column
declare
  v_now    timestamptz := now();
  v_range  bigint := weir.journal_range();
  v_flows  integer[];
  v_ages   interval[];
  v_since  bigint;    -- runs from here on are too young
  v_sinces bigint[];  -- those of v_flows
  v_page   bigint[];
  v_chosen bigint[];
  v_family bigint[];
  v_roots  bigint[];  -- of each in v_family, which of v_chosen it comes with
  v_locked bigint[];
  v_oldest timestamptz;
begin
  runs := 0;
  journal_rows := 0;
  partitions := 0;
  workers := 0;
  after := p_after;
  whole_until := p_whole_until;
  finished := false;
  select array_agg(f.id), array_agg(u.age) into v_flows, v_ages
  from unnest(p_flows, p_ages) as u(slug, age)
  join weir.flow f on f.slug = u.slug;

  -- A run that was created later cannot have ended before.
  v_since := coalesce(weir.first_run_since(v_now - p_age), 0);
  v_sinces := array(
    select coalesce(weir.first_run_since(v_now - u.age), 0)
    from unnest(v_ages) with ordinality as u(age, place)
    order by u.place);
  v_page := array(
    select c.id
    from weir.version v
    cross join lateral (
      select r.id
      from weir.run r
      where (r.version_id, r.id) > (v.id, p_after)  -- by run_of_version, whatever the statistics say
        and (r.version_id, r.id) < (v.id, case when v.flow_id = any (v_flows)
                                               then v_sinces[array_position(v_flows, v.flow_id)]
                                               else v_since end)
      order by r.version_id, r.id
      limit greatest(p_batch, 1) * 4) as c
    order by c.id
    limit greatest(p_batch, 1) * 4);
  if cardinality(v_page) > 0 then
    -- Whether a whole range of runs is deleted is decided at the first run of the range.
    if not p_dry and v_page[1] >= whole_until and v_page[1] / v_range > p_after / v_range - (p_after = 0)::integer then
      if (select r.id
          from weir.run r
          where r.id < (v_page[1] / v_range + 1) * v_range
          order by r.id desc
          limit 1) < greatest(v_since, (select max(s) from unnest(v_sinces) as s))
         and exists (select from weir.run r where r.id >= (v_page[1] / v_range + 1) * v_range)
         and not exists (
           select from weir.run r
           join weir.version v on v.id = any (array[r.version_id])
           where r.id >= v_page[1] / v_range * v_range and r.id < (v_page[1] / v_range + 1) * v_range
             and (r.status = 0
                  or (r.ended_at < v_now - case when v.flow_id = any (v_flows)
                                                then v_ages[array_position(v_flows, v.flow_id)]
                                                else p_age end) is not true)) then
        whole_until := (v_page[1] / v_range + 1) * v_range;
      end if;
    end if;

    v_chosen := array(
      select r.id
      from unnest(v_page) as p(id)
      join weir.run r on r.id = any (array[p.id])
      join weir.version v on v.id = any (array[r.version_id])
      where r.status <> 0
        and r.ended_at < v_now - case when v.flow_id = any (v_flows)
                                      then v_ages[array_position(v_flows, v.flow_id)]
                                      else p_age end
        and (r.parent_run is null or not exists (select from weir.run q where q.id = any (array[r.parent_run])))
      order by r.id
      limit p_batch);
    after := case when cardinality(v_chosen) >= p_batch then v_chosen[cardinality(v_chosen)]
                  else v_page[cardinality(v_page)] end;

    with recursive family as (
      select c.id as root, c.id from unnest(v_chosen) as c(id)
      union all
      select f.root, r.id
      from family f
      join weir.run r on r.parent_run = any (array[f.id])),
    kept as (
      select distinct f.root
      from family f
      join weir.run r on r.id = any (array[f.id])
      where r.status = 0)
    select coalesce(array_agg(f.id), '{}'), array_agg(f.root) into v_family, v_roots
    from family f
    where not exists (select from kept k where k.root = f.root);
    if p_dry then
      runs := cardinality(v_family);
      journal_rows := (
        select coalesce(sum(n.rows), 0)
        from unnest(v_family) as f(id)
        cross join lateral (select count(*) as rows from weir.journal j where j.run_id = f.id) as n);
    elsif cardinality(v_family) > 0 then
      -- A run that is being retried at this moment is not over any more: all that comes with it stays.
      v_locked := array(
        select r.id from weir.run r where r.id = any (v_family) and r.status <> 0 order by r.id for update skip locked);
      if cardinality(v_locked) < cardinality(v_family) then
        v_roots := array(
          select distinct f.root from unnest(v_family, v_roots) as f(id, root) where f.id <> all (v_locked));
        v_family := array(
          with recursive kept as (
            select k.id from unnest(v_roots) as k(id)
            union all
            select r.id from kept k join weir.run r on r.parent_run = any (array[k.id]))
          select f.id from unnest(v_family) as f(id) where f.id not in (select k.id from kept k));
      end if;
      journal_rows := weir.delete_runs(v_family, whole_until);
      runs := cardinality(v_family);
    end if;
    return;
  end if;

  finished := true;
  if p_dry then return; end if;
  partitions := weir.drop_journal_partitions();
  v_oldest := (select r.created_at from weir.run r order by r.id limit 1);
  delete from weir.worker w
  where w.ended_at < least(v_oldest, v_now - (select max(a) from unnest(p_ages || p_age) as a))
    and not exists (select from weir.open_run o where o.worker_id = w.id);
  get diagnostics workers = row_count;
end $$;
comment on function weir.prune_batch is 'deletes one batch of old runs, by the age of each flow';

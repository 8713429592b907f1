-- Deletes one batch of old runs (C7): at most p_batch finished runs that ended longer ago than the age of their flow
-- (p_flows, p_ages) or else p_age; null keeps them. Their journal, signals, idempotency keys and child runs are deleted
-- with them. A run with a child run that is not over stays, and a child run stays as long as its parent. The batch
-- begins after the run p_after and goes by age: call it again with the `after` and `whole_until` that it returned, each
-- call in a transaction of its own, until `finished`.
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
  v_latest timestamptz := v_now - (select min(a) from unnest(p_ages || p_age) as a);  -- runs that ended later stay
  v_range  bigint := weir.journal_range();
  v_flows  integer[];
  v_ages   interval[];
  v_page   bigint[];
  v_chosen bigint[];
  v_family bigint[];
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

  -- A later run cannot have ended before this one began.
  v_page := array(select r.id from weir.run r where r.id > p_after order by r.id limit greatest(p_batch, 1) * 4);
  if cardinality(v_page) > 0 and (select r.created_at from weir.run r where r.id = v_page[1]) < v_latest then
    -- Whether a whole range of runs is deleted is decided at the first run of the range.
    if not p_dry and v_page[1] >= whole_until and v_page[1] / v_range > p_after / v_range - (p_after = 0)::integer then
      if (select r.created_at
          from weir.run r
          where r.id < (v_page[1] / v_range + 1) * v_range
          order by r.id desc
          limit 1) < v_latest
         and exists (select from weir.run r where r.id >= (v_page[1] / v_range + 1) * v_range)
         and not exists (
           select from weir.run r
           join weir.version v on v.id = any (array[r.version_id])
           where r.id >= v_page[1] and r.id < (v_page[1] / v_range + 1) * v_range
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
    select coalesce(array_agg(f.id), '{}') into v_family
    from family f
    where not exists (select from kept k where k.root = f.root);
    if p_dry then
      runs := cardinality(v_family);
      journal_rows := (
        select coalesce(sum(n.rows), 0)
        from unnest(v_family) as f(id)
        cross join lateral (select count(*) as rows from weir.journal j where j.run_id = f.id) as n);
    elsif cardinality(v_family) > 0 then
      -- A run that is being retried at this moment is not over any more.
      perform from weir.run r where r.id = any (v_family) order by r.id for update;
      v_family := array(select r.id from weir.run r where r.id = any (v_family) and r.status <> 0);
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

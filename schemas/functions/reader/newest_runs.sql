-- The numbers of the newest runs that match every filter that is not null, newest first. `status` is one of weir.runs;
-- created_at is in [since, until); input and output contain a JSON pattern as @> has it.
-- Runs are found along an index, which is read as far as necessary, and nothing is sorted: only runs from the time
-- window, only failed or cancelled ones, only open ones. What is rare is found by itself, when it is not among the
-- newest 10,000: a tag, and what an input or an output contains where the operator gave weir.run an index of it (GIN;
-- docs/sql.md). Without one, each run that matches the other filters is looked at.
create or replace function weir.newest_runs(
  flow text default null, status text default null, tag text default null, since timestamptz default null,
  until timestamptz default null, input_contains jsonb default null, output_contains jsonb default null,
  count_max bigint default 20)
returns setof bigint
language plpgsql stable rows 20  -- so that a join with it goes by key
set jit = off set enable_seqscan = off set enable_sort = off
as $$
declare
  v_from     text := 'weir.run r';
  v_slack    interval := '10 min';
  v_first    bigint := coalesce(weir.first_run_since(since - v_slack), 0);
  v_last     bigint := weir.first_run_since(until + v_slack) - 1;
  v_versions integer[];
  v_found    bigint[];
  v_rare     boolean := tag is not null
    or input_contains is not null and weir.has_gin_index('input')
    or output_contains is not null and weir.has_gin_index('output');
  v_where    text := concat_ws(' and ', 'r.id >= $8',
    case when tag is not null then 'r.tags @> array[$1] and r.tags <> ''{}''' end,
    case when since is not null then 'r.created_at >= $2' end,
    case when until is not null then 'r.created_at < $3 and r.id <= $9' end,
    case when input_contains is not null then 'r.input @> $4' end,
    case when output_contains is not null then 'r.output @> $5' end,
    case status
      when 'completed' then 'r.status = 1'
      when 'failed' then 'r.not_completed = 2'
      when 'cancelled' then 'r.not_completed = 3'
      when 'queued' then 'o.started_at is null'
      when 'running' then 'o.started_at is not null'
      else case when status is not null then 'false' end end);
begin
  if flow is not null or status in ('failed', 'cancelled') then
    v_versions := array(
      select v.id
      from weir.version v
      join weir.flow f on f.id = v.flow_id
      where newest_runs.flow is null or f.slug = newest_runs.flow);
  end if;
  if status in ('queued', 'running') then  -- few, compared with the runs that are over
    v_from := 'weir.open_run o join weir.run r on r.id = any (array[o.run_id])';
  elsif v_rare then
    if flow is not null then v_where := v_where || ' and r.version_id = any ($7)'; end if;
    execute format(
      'select array_agg(n.id order by n.id desc)
       from (select r.id
             from (%s) as r
             where %s
             order by r.id desc
             limit $6) as n',
      case when v_versions is null then
             'select * from weir.run r where r.id >= $8 and r.id <= coalesce($9, r.id) order by r.id desc limit 10000'
           else 'select n.* from unnest($7) as v(id) cross join lateral (
                   select * from weir.run r
                   where r.version_id = v.id and r.id >= $8 and r.id <= coalesce($9, r.id)
                   order by r.id desc limit 10000) as n
                 order by n.id desc limit 10000' end, v_where)
      into v_found
      using tag, since, until, input_contains, output_contains, count_max, v_versions, v_first, v_last;
    if cardinality(v_found) >= count_max then
      return query select unnest(v_found);
      return;
    end if;
    return query execute format(
      'with found as materialized (select r.id from weir.run r where %s)
       select f.id from found f order by f.id desc limit $6', v_where)
      using tag, since, until, input_contains, output_contains, count_max, v_versions, v_first, v_last;
    return;
  end if;
  if v_versions is not null then  -- by run_of_version or run_not_completed
    return query execute format(
      'select n.id from unnest($7) as v(id) cross join lateral (
         select r.id from %s where r.version_id = v.id and %s order by r.id desc limit $6) as n
       order by n.id desc limit $6', v_from, v_where)
      using tag, since, until, input_contains, output_contains, count_max, v_versions, v_first, v_last;
    return;
  end if;
  return query execute format('select r.id from %s where %s order by r.id desc limit $6', v_from, v_where)
    using tag, since, until, input_contains, output_contains, count_max, v_versions, v_first, v_last;
end $$;
comment on function weir.newest_runs is 'the numbers of the newest runs that match a filter, newest first';

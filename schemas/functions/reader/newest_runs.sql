-- The numbers of the newest runs that match every filter that is not null, newest first. They are found along an
-- index, which is read as far as necessary; nothing is sorted. `status` is one of weir.runs; created_at is in
-- [since, until); input and output contain a JSON pattern as @> has it.
create or replace function weir.newest_runs(
  flow text default null, status text default null, tag text default null, since timestamptz default null,
  until timestamptz default null, input_contains jsonb default null, output_contains jsonb default null,
  count_max bigint default 20)
returns setof bigint
language plpgsql stable rows 20  -- so that a join with it goes by key
set jit = off set enable_seqscan = off set enable_sort = off
as $$
declare
  v_from  text := 'weir.run r';
  v_where text := concat_ws(' and ', 'true',
    case when tag is not null then '$1 = any (r.tags)' end,
    case when since is not null then 'r.created_at >= $2' end,
    case when until is not null then 'r.created_at < $3' end,
    case when input_contains is not null then 'r.input @> $4' end,
    case when output_contains is not null then 'r.output @> $5' end,
    case status
      when 'completed' then 'r.status = 1'
      when 'failed' then 'r.status = 2'
      when 'cancelled' then 'r.status = 3'
      when 'queued' then 'o.started_at is null'
      when 'running' then 'o.started_at is not null'
      else case when status is not null then 'false' end end);
begin
  if status in ('queued', 'running') then  -- few, compared with the runs that are over
    v_from := 'weir.open_run o join weir.run r on r.id = o.run_id';
  end if;
  if flow is null then
    return query execute format('select r.id from %s where %s order by r.id desc limit $6', v_from, v_where)
      using tag, since, until, input_contains, output_contains, count_max;
  else
    return query execute format(
      'select n.id from unnest($7) as v(id) cross join lateral (
         select r.id from %s where r.version_id = v.id and %s order by r.id desc limit $6) as n
       order by n.id desc limit $6', v_from, v_where)
      using tag, since, until, input_contains, output_contains, count_max,
            array(select v.id
                  from weir.version v
                  join weir.flow f on f.id = v.flow_id
                  where f.slug = newest_runs.flow);
  end if;
end $$;
comment on function weir.newest_runs is 'the numbers of the newest runs that match a filter, newest first';

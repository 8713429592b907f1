-- The version of a flow that a start is for: the one named, or weir.version_for_starts; or the version that adopted it.
-- All starts ask here: by command, by SQL, by schedules and of child runs.
-- Errors: WR002 no such flow or version; the hint has those that exist.
create or replace function weir.version_to_start(p_flow text, p_version integer default null) returns integer
language plpgsql stable
set jit = off set enable_seqscan = off  -- by key, as plans are kept while tables grow
as $$
declare
  v_version integer;
begin
  if p_version is null then
    select weir.version_for_starts(f.id) into v_version
    from weir.flow f
    where lower(f.slug) = lower(p_flow) and f.slug = p_flow;
  else
    select coalesce(a.to_version, v.id) into v_version
    from weir.flow f
    join weir.version v on v.flow_id = any (array[f.id])
    left join weir.adoption a on a.from_version = v.id
    where lower(f.slug) = lower(p_flow) and f.slug = p_flow and v.number = p_version;
  end if;
  if v_version is null then
    raise exception using errcode = 'WR002',
      message = format('no flow "%s"%s in this database', p_flow, ' version ' || p_version),
      hint = coalesce((select 'the newest version is ' || max(v.number)
                       from weir.version v
                       join weir.flow f on f.id = v.flow_id
                       where f.slug = p_flow),
                      (select 'known flows: ' || string_agg(f.slug, ', ' order by f.slug) from weir.flow f),
                      'no flow is registered yet: a worker registers those it has loaded');
  end if;
  return v_version;
end $$;
comment on function weir.version_to_start is 'the version of a flow that a start is for';

-- The version of a flow that a start is for: the one named, or the newest one; or the version that adopted it.
-- Errors: WR002 no such flow or version; the hint has those that exist.
create or replace function weir.version_to_start(p_flow text, p_version integer default null) returns weir.version
language plpgsql stable
set jit = off set enable_seqscan = off  -- by key, as plans are kept while tables grow
as $$
declare
  v_version weir.version%rowtype;
begin
  select t.* into v_version
  from weir.version v
  join weir.flow f on f.id = v.flow_id
  left join weir.adoption a on a.from_version = v.id
  join weir.version t on t.id = coalesce(a.to_version, v.id)
  where f.slug = p_flow and (p_version is null or v.number = p_version)
  order by v.number desc
  limit 1;
  if not found then
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

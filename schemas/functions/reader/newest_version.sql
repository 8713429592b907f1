-- The version that a start without a version gets: the one with the highest number, or the one that adopted it.
create or replace function weir.newest_version(p_flow integer) returns integer
language sql stable as $$
  select coalesce(a.to_version, v.id)
  from weir.version v
  left join weir.adoption a on a.from_version = v.id
  where v.flow_id = p_flow
  order by v.number desc
  limit 1
$$;
comment on function weir.newest_version is 'the version of a flow that a start without a version gets';

-- The version that a start without a version takes (V5): the newest that a live worker offers; while none is offered,
-- the one that was so last, or the newest that was registered; or the version that adopted it.
create or replace function weir.version_for_starts(p_flow integer) returns integer
language plpgsql stable
set jit = off set enable_seqscan = off  -- by key, as plans are kept while tables grow
as $$
declare
  v_version integer := weir.offered_version(p_flow);
begin
  if v_version is null then
    select coalesce(f.last_offered,
                    (select v.id from weir.version v where v.flow_id = f.id order by v.number desc limit 1))
    into v_version
    from weir.flow f
    where f.id = p_flow;
  end if;
  return coalesce((select a.to_version from weir.adoption a where a.from_version = v_version), v_version);
end $$;
comment on function weir.version_for_starts is 'the version of a flow that a start without a version takes';

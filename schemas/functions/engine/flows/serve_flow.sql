-- For a worker in another language, which only takes shares: records that it can run all versions of a flow that are
-- known now, as weir.serve_versions does, and returns their numbers, for weir.take_shares. New runs take none of them
-- on its account (V5). Errors: WR002 no such flow.
create or replace function weir.serve_flow(worker bigint, flow text) returns integer[]
language plpgsql as $$
declare
  v_versions integer[];
begin
  select array_agg(v.id order by v.number) into v_versions
  from weir.version v
  join weir.flow f on f.id = v.flow_id
  where f.slug = serve_flow.flow;
  if v_versions is null then
    raise exception 'no flow "%" in this database', flow using errcode = 'WR002',
      hint = coalesce((select 'known flows: ' || string_agg(f.slug, ', ' order by f.slug) from weir.flow f),
                      'no flow is registered yet: a worker registers those it has loaded');
  end if;
  perform weir.serve_versions(worker, v_versions, array_fill(null::integer, array[cardinality(v_versions)]),
                              p_claims => false);
  return v_versions;
end $$;
comment on function weir.serve_flow is
  'records that a worker can take shares of all versions of a flow, and returns their numbers';

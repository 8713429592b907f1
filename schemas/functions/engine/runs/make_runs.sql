-- Makes a run of one version for each input, open and claimable from p_available_at on; everything that starts runs
-- calls this. Elements of p_keys and p_run_ids, where given, belong to the inputs in the same places. A parent is for
-- a single run. Returns the UUIDs in order, null where the key had a run. The caller wakes the workers.
-- Errors: WR003 an input that the flow cannot take (S3), unless its key had a run (S4); 23505 a run id that exists.
create or replace function weir.make_runs(
  p_version integer, p_inputs jsonb[], p_keys text[], p_run_ids uuid[], p_available_at timestamptz,
  p_priority integer, p_tags text[],
  p_parent_run bigint default null, p_parent_step smallint default null, p_parent_attempt smallint default null,
  p_now timestamptz default clock_timestamp())
returns uuid[]
language plpgsql
set jit = off set enable_seqscan = off  -- by key, as plans are kept while tables grow
as $$
#variable_conflict use_column
declare
  v_flow     integer;
  v_maps     boolean;   -- the flow maps over its input
  v_schema   jsonb;     -- of its inputs
  v_path     jsonpath;
  v_key_path text[];    -- where inputs have the key of its limits
  v_bad      jsonb;
  v_ids      bigint[];  -- null where the key had a run, as in v_made
  v_made     uuid[];
begin
  select v.flow_id, v.maps_over_input, v.input_schema, v.input_path, l.key_path
  into v_flow, v_maps, v_schema, v_path, v_key_path
  from weir.version v
  left join weir.flow_limit l on l.flow_id = any (array[v.flow_id])
  where v.id = p_version;
  if v_maps then
    select i.input into v_bad
    from unnest(p_inputs, p_keys) as i(input, key)
    where jsonb_typeof(i.input) is distinct from 'array' and not weir.has_key(v_flow, i.key)
    limit 1;
    if found then
      raise exception using errcode = 'WR003',
        message = format('flow "%s" maps over its input, which must be an array, not %s',
                         (select f.slug from weir.flow f where f.id = v_flow),
                         weir.kind_of_value(v_bad)),
        hint = 'give one element for each task';
    end if;
  end if;

  if v_schema is not null then perform weir.check_inputs(v_flow, v_schema, v_path, p_inputs, p_keys); end if;

  select coalesce(array_agg(nextval('weir.run_id_seq')), '{}'),
         coalesce(array_agg(coalesce(w.uuid, weir.uuid7())), '{}')
  into v_ids, v_made
  from (select generate_series(1, cardinality(p_inputs)) as place, unnest(p_run_ids) as uuid) as w;
  if num_nonnulls(variadic p_keys) > 0 then
    with keyed as (
      insert into weir.idempotency (flow_id, key, run_id)
      select v_flow, w.key, w.id
      from unnest(p_keys, v_ids) with ordinality as w(key, id, place)
      where w.key is not null
      order by w.key, w.place
      on conflict do nothing
      returning run_id)
    select array_agg(case when w.key is null or k.run_id is not null then w.id end order by w.place)
    into v_ids
    from unnest(p_keys, v_ids) with ordinality as w(key, id, place)
    left join keyed k on k.run_id = w.id;
    v_made := array(select case when w.id is not null then w.uuid end
                    from (select unnest(v_ids) as id, unnest(v_made) as uuid) as w);
  end if;

  insert into weir.run (id, uuid, version_id, priority, input, idempotency_key, tags, created_at, available_at,
                        parent_run, parent_step, parent_attempt)
  overriding system value
  select w.id, w.uuid, p_version, p_priority, coalesce(w.input, 'null'), w.key, p_tags,
         p_now, p_available_at,  -- not when a transaction began: ids and times go together
         p_parent_run, p_parent_step, p_parent_attempt
  from (select unnest(v_ids) as id, unnest(v_made) as uuid, unnest(p_inputs) as input, unnest(p_keys) as key) as w
  where w.id is not null;
  insert into weir.open_run (run_id, version_id, priority, wake_at, limit_key)
  select w.id, p_version, p_priority, case when p_available_at > p_now then p_available_at end,
         case when v_key_path is not null then weir.limit_key(v_key_path, coalesce(w.input, 'null')) end
  from (select unnest(v_ids) as id, unnest(p_inputs) as input) as w
  where w.id is not null;
  return v_made;
end $$;
comment on function weir.make_runs is 'makes a run of one version for each input';

-- Makes a run of one version for each input, open and claimable from p_available_at on; everything that starts runs
-- calls this. Elements of p_keys and p_run_ids, where given, belong to the inputs in the same places. A parent is for
-- a single run. Returns the UUIDs in order, null where the key had a run. The caller wakes the workers.
-- Errors: WR003 an input that the flow cannot take (S3), unless its key had a run (S4); 23505 a run id that exists.
create or replace function weir.make_runs(
  p_version weir.version, p_inputs jsonb[], p_keys text[], p_run_ids uuid[], p_available_at timestamptz,
  p_priority integer, p_tags text[],
  p_parent_run bigint default null, p_parent_step smallint default null, p_parent_attempt smallint default null,
  p_now timestamptz default clock_timestamp())
returns uuid[]
language plpgsql
set jit = off set enable_seqscan = off  -- by key, as plans are kept while tables grow
as $$
#variable_conflict use_column
declare
  v_bad      jsonb;
  v_made     uuid[];
  v_key_path text[] := (select l.key_path from weir.flow_limit l where l.flow_id = p_version.flow_id);
begin
  if p_version.maps_over_input then
    select i.input into v_bad
    from unnest(p_inputs, p_keys) as i(input, key)
    where jsonb_typeof(i.input) is distinct from 'array' and not weir.has_key(p_version.flow_id, i.key)
    limit 1;
    if found then
      raise exception using errcode = 'WR003',
        message = format('flow "%s" maps over its input, which must be an array, not %s',
                         (select f.slug from weir.flow f where f.id = p_version.flow_id),
                         weir.kind_of_value(v_bad)),
        hint = 'give one element for each task';
    end if;
  end if;

  if p_version.input_schema is not null then perform weir.check_inputs(p_version, p_inputs, p_keys); end if;

  with wanted as materialized (
    select w.place, coalesce(w.input, 'null') as input, w.key, coalesce(w.uuid, weir.uuid7()) as uuid,
           nextval('weir.run_id_seq') as id
    from unnest(p_inputs, p_keys, p_run_ids) with ordinality as w(input, key, uuid, place)),
  keyed as (
    insert into weir.idempotency (flow_id, key, run_id)
    select p_version.flow_id, w.key, w.id
    from wanted w
    where w.key is not null
    order by w.key, w.place
    on conflict do nothing
    returning run_id),
  judged as materialized (
    select w.*, w.key is null or k.run_id is not null as fresh
    from wanted w
    left join keyed k on k.run_id = w.id),
  made as (
    insert into weir.run (id, uuid, version_id, priority, input, idempotency_key, tags, created_at, available_at,
                          parent_run, parent_step, parent_attempt)
    overriding system value
    select j.id, j.uuid, p_version.id, p_priority, j.input, j.key, p_tags,
           p_now, p_available_at,  -- not when a transaction began: ids and times go together
           p_parent_run, p_parent_step, p_parent_attempt
    from judged j
    where j.fresh
    order by j.place),
  opened as (
    insert into weir.open_run (run_id, version_id, priority, wake_at, limit_key)
    select j.id, p_version.id, p_priority, case when p_available_at > p_now then p_available_at end,
           case when v_key_path is not null then weir.limit_key(v_key_path, j.input) end
    from judged j
    where j.fresh
    order by j.place)
  select array_agg(case when j.fresh then j.uuid end order by j.place) into v_made from judged j;
  return v_made;
end $$;
comment on function weir.make_runs is 'makes a run of one version for each input';

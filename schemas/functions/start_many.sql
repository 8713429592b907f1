-- Starts one run of `flow` for each input, in one statement of the caller's own transaction (S1, S5): the runs
-- exist exactly if it commits. keys and run_ids, where given, go with inputs element by element.
-- Returns a row an input, in order; created is false where the key already had a run (S4).
-- Errors: WR002 no such flow or version; WR003 an input the flow cannot take, or an option out of its range;
-- 23505 a run_id that exists.
create or replace function weir.start_many(
  flow text, inputs jsonb[], keys text[] default null, delay interval default null, at timestamptz default null,
  priority integer default 0, version integer default null, tags text[] default '{}', run_ids uuid[] default null)
returns table (run_id uuid, created boolean)
language plpgsql
set enable_seqscan = off  -- plans are kept while the tables grow: by key from the beginning
as $$
#variable_conflict use_column
declare
  v_version      weir.version%rowtype;
  v_available_at timestamptz := coalesce(at, now() + coalesce(delay, '0'));
  v_key_bytes    integer;
  v_bad          jsonb;
  v_made         uuid[];
begin
  select t.* into v_version
  from weir.version v join weir.flow f on f.id = v.flow_id
  left join weir.adoption a on a.from_version = v.id
  join weir.version t on t.id = coalesce(a.to_version, v.id)
  where f.slug = start_many.flow and (start_many.version is null or v.number = start_many.version)
  order by v.number desc limit 1;
  if not found then
    raise exception using errcode = 'WR002',
      message = format('no flow "%s"%s in this database', flow, ' version ' || version),
      hint = coalesce((select 'the newest version is ' || max(v.number) from weir.version v join weir.flow f on f.id = v.flow_id
                       where f.slug = start_many.flow),
                      (select 'known flows: ' || string_agg(f.slug, ', ' order by f.slug) from weir.flow f),
                      'no flow is registered yet: a worker registers those it has loaded');
  end if;
  if priority not between -100 and 100 then
    raise exception 'priority % is out of range', priority using errcode = 'WR003', hint = 'from -100 to 100';
  end if;
  if cardinality(keys) <> cardinality(inputs) or cardinality(run_ids) <> cardinality(inputs) then
    raise exception using errcode = 'WR003',
      message = format('%s for %s inputs',
                       case when cardinality(keys) <> cardinality(inputs) then 'keys: ' || cardinality(keys)
                            else 'run_ids: ' || cardinality(run_ids) end, cardinality(inputs)),
      hint = 'give none, or one for each input';
  end if;
  select octet_length(k) into v_key_bytes from unnest(keys) as k where octet_length(k) not between 1 and 255 limit 1;
  if found then
    raise exception 'an idempotency key of % bytes', v_key_bytes using errcode = 'WR003', hint = 'from 1 to 255 bytes';
  end if;
  if v_version.maps_over_input then
    select i into v_bad from unnest(inputs) as i where jsonb_typeof(i) is distinct from 'array' limit 1;
    if found then
      raise exception using errcode = 'WR003',
        message = format('flow "%s" maps over its input, which must be an array, not %s', flow,
                         case coalesce(jsonb_typeof(v_bad), 'null') when 'null' then 'null'
                              when 'object' then 'an object' else 'a ' || jsonb_typeof(v_bad) end),
        hint = 'give one element for each task';
    end if;
  end if;

  with wanted as materialized (
    select w.place, coalesce(w.input, 'null') as input, w.key, coalesce(w.uuid, weir.uuid7()) as uuid,
           nextval(pg_get_serial_sequence('weir.run', 'id')) as id
    from unnest(inputs, keys, run_ids) with ordinality as w(input, key, uuid, place)),
  keyed as (
    insert into weir.idempotency (flow_id, key, run_id)
    select v_version.flow_id, w.key, w.id from wanted w where w.key is not null order by w.key, w.place
    on conflict do nothing returning run_id),
  judged as materialized (
    select w.*, w.key is null or k.run_id is not null as fresh from wanted w left join keyed k on k.run_id = w.id),
  made as (
    insert into weir.run (id, uuid, version_id, priority, input, idempotency_key, tags, available_at)
    overriding system value
    select j.id, j.uuid, v_version.id, start_many.priority, j.input, j.key, start_many.tags, v_available_at
    from judged j where j.fresh order by j.place),
  opened as (
    insert into weir.open_run (run_id, version_id, priority, wake_at)
    select j.id, v_version.id, start_many.priority, case when v_available_at > now() then v_available_at end
    from judged j where j.fresh order by j.place)
  select array_agg(case when j.fresh then j.uuid end order by j.place) into v_made from judged j;

  if v_available_at <= now() and exists (select from unnest(v_made) as m where m is not null) then
    perform weir.wake_workers();
  end if;

  -- A statement of its own: it sees the runs of callers that raced this one for a key.
  return query
  select coalesce(w.made, (select r.uuid from weir.idempotency k join weir.run r on r.id = k.run_id
                           where k.flow_id = v_version.flow_id and k.key = w.key)),
         w.made is not null
  from unnest(v_made, keys) with ordinality as w(made, key, place)
  order by w.place;
end $$;
comment on function weir.start_many is 'starts one run of a flow for each input, in the caller''s transaction';

-- Starts one run of `flow` for each input, in one statement of the caller's own transaction (S1, S5): the runs exist
-- exactly if it commits. Elements of keys and run_ids, where given, belong to the inputs in the same places.
-- Returns a row for each input, in order; created is false where the key had a run already (S4).
-- Errors: WR002 no such flow or version; WR003 an input that the flow cannot take, or an option out of its range;
-- 23505 a run_id that exists.
create or replace function weir.start_many(
  flow text, inputs jsonb[], keys text[] default null, delay interval default null, at timestamptz default null,
  priority integer default 0, version integer default null, tags text[] default '{}', run_ids uuid[] default null)
returns table (run_id uuid, created boolean)
language plpgsql
set jit = off set enable_seqscan = off  -- by key, as plans are kept while tables grow
as $$
#variable_conflict use_column
declare
  v_version      integer := weir.version_to_start(flow, version);
  v_flow         integer;
  v_available_at timestamptz;
  v_keyed        boolean := num_nonnulls(variadic keys) > 0;
  v_key_bytes    integer;
  v_made         uuid[];   -- null where the key had a run
  v_runs         uuid[];
  v_gone         bigint[];  -- the places of keys whose run was deleted meanwhile
  v_again        uuid[];
  v_rounds       integer := 0;
  v_now          timestamptz := clock_timestamp();
begin
  if priority is null or priority not between -100 and 100 then
    raise exception 'priority % is out of range', coalesce(priority::text, 'null')
      using errcode = 'WR003', hint = 'from -100 to 100';
  end if;
  if delay not between '-1000 years' and '1000 years' then
    raise exception 'delay: % is out of range', delay using errcode = 'WR003', hint = 'at most 1000 years';
  end if;
  v_available_at := weir.check_time('at', coalesce(at, v_now + coalesce(delay, '0')));
  perform weir.check_tags(tags);
  if inputs is null then
    raise exception 'inputs: null is no array' using errcode = 'WR003', hint = 'one for each run';
  end if;
  if cardinality(keys) <> cardinality(inputs) or cardinality(run_ids) <> cardinality(inputs) then
    raise exception using errcode = 'WR003',
      message = format('%s for %s inputs',
                       case when cardinality(keys) <> cardinality(inputs) then 'keys: ' || cardinality(keys)
                            else 'run_ids: ' || cardinality(run_ids) end, cardinality(inputs)),
      hint = 'give none, or one for each input';
  end if;
  if v_keyed then
    select octet_length(k) into v_key_bytes from unnest(keys) as k where octet_length(k) not between 1 and 255 limit 1;
    if found then
      raise exception 'an idempotency key of % bytes', v_key_bytes
        using errcode = 'WR003', hint = 'from 1 to 255 bytes';
    end if;
    v_flow := (select v.flow_id from weir.version v where v.id = v_version);
  end if;

  v_made := weir.make_runs(v_version, inputs, keys, run_ids, v_available_at, priority, tags, p_now => v_now);
  v_runs := v_made;
  while v_keyed loop
    -- A statement of its own: it sees the runs of callers that used the same key at the same time.
    v_runs := array(
      select coalesce(w.made, (select r.uuid
                               from weir.idempotency k
                               join weir.run r on r.id = any (array[k.run_id])
                               where k.flow_id = v_flow and k.key = w.key))
      from unnest(v_made, keys) with ordinality as w(made, key, place)
      order by w.place);
    exit when array_position(v_runs, null) is null;
    -- The run of a key was deleted between the two statements: its key is free again.
    v_rounds := v_rounds + 1;
    if v_rounds > 10 then
      raise exception 'the runs of some idempotency keys were deleted at the same time'
        using errcode = 'serialization_failure', hint = 'start again';
    end if;
    v_gone := array(select w.place from unnest(v_runs) with ordinality as w(run, place) where w.run is null);
    v_again := weir.make_runs(
      v_version,
      array(select i.input from unnest(inputs) with ordinality as i(input, place)
            where i.place = any (v_gone) order by i.place),
      array(select k.key from unnest(keys) with ordinality as k(key, place)
            where k.place = any (v_gone) order by k.place),
      case when run_ids is not null then
        array(select u.id from unnest(run_ids) with ordinality as u(id, place)
              where u.place = any (v_gone) order by u.place) end,
      v_available_at, priority, tags, p_now => v_now);
    v_made := array(
      select coalesce(m.made, a.made)
      from unnest(v_made) with ordinality as m(made, place)
      left join unnest(v_again, v_gone) as a(made, place) on a.place = m.place
      order by m.place);
  end loop;
  if v_available_at <= clock_timestamp() and num_nonnulls(variadic v_made) > 0 then
    perform weir.wake_workers();
  end if;

  return query
  select w.run, w.made is not null
  from (select unnest(v_runs) as run, unnest(v_made) as made) as w;
end $$;
comment on function weir.start_many is 'starts one run of a flow for each input, in the caller''s transaction';

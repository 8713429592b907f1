-- The version of a definition: a known fingerprint gives its id, a new one becomes the flow's next version (D6, D7).
-- `definition` is the canonical form that core/definition writes and has checked; what bypasses it is refused here
-- (D5). Errors: WR003 a name, a fingerprint or a definition that cannot be; WR004 a slug that differs from another one
-- only in case.
create or replace function weir.register_version(
  p_slug text, p_module text, p_fingerprint text, p_definition jsonb, p_input_schema jsonb)
returns table (version_id integer, number integer)
language plpgsql as $$
declare
  v_flow    weir.flow%rowtype;
  v_version integer;
  v_number  integer;
  v_fault   text;
begin
  v_fault := case
    when p_slug is null or p_slug !~ '^[A-Za-z_][A-Za-z0-9_]*$' or octet_length(p_slug) > 128 or lower(p_slug) = 'run'
      then 'this is no slug of a flow'
    when p_module is null or not weir.is_module_name(p_module, 255)
      then 'the name of its module is dotted slugs, of 255 bytes at most'
    when p_fingerprint is null or p_fingerprint !~ '^[0-9a-f]{64}$' then 'its fingerprint is no SHA-256'
    when jsonb_typeof(p_input_schema) not in ('object', 'boolean')
      then 'its input_schema is ' || weir.kind_of_value(p_input_schema) || ', which is not a JSON schema'
    when jsonb_typeof(p_definition -> 'steps') is distinct from 'array' or p_definition -> 'steps' = '[]'
      then 'its definition has no steps'
    end;
  if v_fault is not null then
    raise exception 'flow "%": %', coalesce(p_slug, 'null'), v_fault
      using errcode = 'WR003', hint = 'register what a worker reads from the plugin';
  end if;
  insert into weir.flow (slug) values (p_slug) on conflict do nothing;
  select * into strict v_flow from weir.flow f where lower(f.slug) = lower(p_slug) for update;
  if v_flow.slug <> p_slug then
    raise exception 'slug "%" differs only in case from flow "%" of this database', p_slug, v_flow.slug
      using errcode = 'WR004', hint = 'rename one of them';
  end if;

  select v.id, v.number into v_version, v_number
  from weir.version v
  where v.flow_id = v_flow.id and v.fingerprint = p_fingerprint;
  if found then
    update weir.version v
    set module = p_module, input_schema = p_input_schema, input_path = weir.input_path_of(p_input_schema)
    where v.id = v_version
      and ((v.module, v.input_schema) is distinct from (p_module, p_input_schema)
           or v.input_path is null and p_input_schema is not null);  -- an older program's
    return query select v_version, v_number;
    return;
  end if;

  begin
    v_fault := weir.definition_fault(p_slug, p_definition -> 'steps');
    if v_fault is not null then raise exception using errcode = 'data_exception', message = v_fault; end if;
    insert into weir.version
      (flow_id, number, module, fingerprint, definition, input_schema, input_path, maps_over_input)
    values (v_flow.id, 1 + (select coalesce(max(v.number), 0) from weir.version v where v.flow_id = v_flow.id),
            p_module, p_fingerprint, p_definition, p_input_schema, weir.input_path_of(p_input_schema),
            jsonb_path_exists(p_definition, '$.steps[*] ? (@.kind == "map" && @.depends_on.size() == 0)'))
    returning id, version.number into v_version, v_number;

    insert into weir.step
      (version_id, position, slug, kind, depends_on, counted_by,
       max_attempts, base_delay_ms, max_delay_ms,
       timeout_ms, start_delay_ms, max_output_bytes,
       only_if, unless, when_unmet, when_exhausted,
       signal, child_flow)
    with recursive step as (
      select (s.ordinality - 1)::smallint as position, s.value as value, s.value ->> 'slug' as slug,
             s.value ->> 'kind' as kind
      from jsonb_array_elements(p_definition -> 'steps') with ordinality as s),
    edge as (
      select s.position, d.position as dependency
      from step s
      cross join lateral jsonb_array_elements_text(s.value -> 'depends_on') as name
      join step d on d.slug = name),
    -- From a map up through maps to the single step that made the list; null where that is the run's input.
    climb as (
      select s.position as map, e.dependency as at
      from step s
      left join edge e using (position)
      where s.kind = 'map'
      union  -- ends, also where a map is above itself
      select c.map, e.dependency
      from climb c
      join step s on s.position = c.at and s.kind = 'map'
      left join edge e on e.position = s.position)
    select v_version, s.position, s.slug, s.kind,
           coalesce((select array_agg(e.dependency order by e.dependency)
                     from edge e
                     where e.position = s.position), '{}'),
           (select c.at
            from climb c
            join step t on t.position = c.at and t.kind <> 'map'
            where c.map = s.position),
           (s.value ->> 'max_attempts')::numeric, (s.value ->> 'base_delay_ms')::numeric,
           (s.value ->> 'max_delay_ms')::numeric,
           (s.value ->> 'timeout_ms')::numeric, (s.value ->> 'start_delay_ms')::numeric,
           (s.value ->> 'max_output_bytes')::numeric,
           s.value -> 'only_if', s.value -> 'unless', coalesce(s.value ->> 'when_unmet', 'skip'),
           coalesce(s.value ->> 'when_exhausted', 'fail'),
           case when s.kind = 'wait' then coalesce(s.value ->> 'signal', s.slug) end, s.value ->> 'flow'
    from step s;
    if exists (select from jsonb_array_elements(p_definition -> 'steps') as s
               cross join lateral jsonb_array_elements_text(s -> 'depends_on') as d
               where not exists (select from weir.step t where t.version_id = v_version and t.slug = d)) then
      raise exception 'a step depends on one that is not there' using errcode = 'data_exception';
    end if;
  exception when data_exception or integrity_constraint_violation or cardinality_violation then
    get stacked diagnostics v_fault = message_text;
    raise exception 'flow "%": its definition cannot be: %', p_slug, v_fault
      using errcode = 'WR003', hint = 'register what a worker reads from the plugin';
  end;
  return query select v_version, v_number;
end $$;
comment on function weir.register_version is 'the version of a definition, new or known';

-- The first of the faults in the steps of a definition that core/definition refuses and no constraint of weir.step
-- does (D5); null: none. p_steps are those of the canonical form.
create or replace function weir.definition_fault(p_flow text, p_steps jsonb) returns text
language sql immutable parallel safe as $$
  with step as (
    select s.ordinality as place, s.value, s.value ->> 'slug' as slug, s.value ->> 'kind' as kind,
           s.value -> 'depends_on' as depends_on,
           lower(case when s.value ->> 'kind' = 'wait' then coalesce(s.value ->> 'signal', s.value ->> 'slug') end)
             as signal
    from jsonb_array_elements(p_steps) with ordinality as s),
  pattern as (
    select s.place, s.depends_on, p.member, s.value -> p.member as value
    from step s
    cross join (values ('only_if'), ('unless')) as p(member)
    where s.value ? p.member and s.depends_on <> '[]'),
  asked as (
    select p.place, p.depends_on, p.member, a.key, a.value, d.kind as of_kind
    from pattern p
    cross join lateral jsonb_each(case when jsonb_typeof(p.value) = 'object' then p.value else '{}' end) as a
    left join step d on d.slug = a.key)
  select format('step "%s" %s', (select s.slug from step s where s.place = f.place), f.words)
  from (
    select s.place, format('names its dependency "%s" %s times', d.name, count(*))
    from step s
    cross join lateral jsonb_array_elements_text(s.depends_on) as d(name)
    group by s.place, d.name
    having count(*) > 1
    union all
    select s.place, format('sets %s to %s, which is not a whole number', o.key, o.value)
    from step s
    cross join lateral jsonb_each(s.value) as o
    where o.key ~ '_(attempts|ms|bytes)$'
      and case when jsonb_typeof(o.value) = 'number' then o.value::numeric % 1 <> 0 else true end
    union all
    select s.place, format('maps over "%s", a wait, whose output is no array', d.slug)
    from step s
    join step d on d.slug = s.depends_on ->> 0 and d.kind = 'wait'
    where s.kind = 'map'
    union all
    select s.place, format('starts its own flow again, without end')
    from step s
    where s.kind = 'flow' and lower(s.value ->> 'flow') = lower(p_flow) and not s.value ?| '{only_if,unless}'
    union all
    select s.place, format('has the signal "%s", but is not a wait', s.value ->> 'signal')
    from step s
    where s.value ? 'signal' and s.kind <> 'wait'
    union all
    select s.place, format('waits for the signal "%s", which is not a name', s.value ->> 'signal')
    from step s
    where s.kind = 'wait' and s.value ? 'signal' and not coalesce(weir.is_module_name(s.value ->> 'signal', 128), false)
    union all
    select s.place, format('waits for the signal "%s", as step "%s" does', s.signal, t.slug)
    from step s
    join step t on t.signal = s.signal and t.place < s.place
    union all
    select s.place, 'sets when_exhausted, but a wait never fails'
    from step s
    where s.kind = 'wait' and s.value ? 'when_exhausted'
    union all
    select s.place, 'sets when_unmet, but has neither only_if nor unless'
    from step s
    where s.value ? 'when_unmet' and not s.value ?| '{only_if,unless}'
    union all
    select p.place, format('has %s, which is %s, but is compared with an object that has the outputs of its '
                           'dependencies by name', p.member, weir.kind_of_value(p.value))
    from pattern p
    where jsonb_typeof(p.value) <> 'object'
    union all
    select a.place, format('has %s, which asks for "%s", which is not one of its dependencies', a.member, a.key)
    from asked a
    where not a.depends_on ? a.key
    union all
    select a.place, format('has %s, which asks for what the output of the wait "%s" never has', a.member, a.key)
    from asked a
    where a.depends_on ? a.key and a.of_kind = 'wait'
      and (jsonb_typeof(a.value) <> 'object' or a.value - '{signalled,payload}'::text[] <> '{}'
           or jsonb_typeof(a.value -> 'signalled') <> 'boolean')
  ) as f(place, words)
  order by f.place, f.words
  limit 1
$$;
comment on function weir.definition_fault is 'the first fault in the steps of a definition; null: none';

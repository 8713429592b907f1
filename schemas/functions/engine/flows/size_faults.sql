-- Whether a schema allows the size of a value, by keywords such as minItems and maxItems. See weir.input_faults.
create or replace function weir.size_faults(p_schema jsonb, p_keyword text, p_noun text, p_size bigint)
returns text[]
language sql immutable parallel safe as $$
  select array(
    select format('has %s %s%s, expected %s %s', p_size, p_noun, case when p_size <> 1 then 's' end,
                  case l.bound when 'min' then 'at least' else 'at most' end,
                  trim_scale((p_schema -> (l.bound || p_keyword))::numeric))
    from (values ('min'), ('max')) as l(bound)
    where case when jsonb_typeof(p_schema -> (l.bound || p_keyword)) = 'number' then
            case l.bound when 'min' then p_size < (p_schema -> (l.bound || p_keyword))::numeric
                         else p_size > (p_schema -> (l.bound || p_keyword))::numeric end end)
$$;
comment on function weir.size_faults is 'whether a JSON schema allows the size of a value';

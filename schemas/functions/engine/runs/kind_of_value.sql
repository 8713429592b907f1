-- What a JSON value is, in words for messages: 'an object', 'a number', 'null'; SQL's null is JSON's.
create or replace function weir.kind_of_value(p_value jsonb) returns text
language sql immutable as $$
  select case coalesce(jsonb_typeof(p_value), 'null') when 'null' then 'null' when 'object' then 'an object'
              when 'array' then 'an array' else 'a ' || jsonb_typeof(p_value) end
$$;
comment on function weir.kind_of_value is 'what a JSON value is, in words for messages';

-- The kind of a JSON value in words, for messages: 'an object', 'a number', 'null'. SQL's null counts as JSON's.
create or replace function weir.kind_of_value(p_value jsonb) returns text
language sql immutable as $$
  select case coalesce(jsonb_typeof(p_value), 'null')
           when 'null' then 'null'
           when 'object' then 'an object'
           when 'array' then 'an array'
           else 'a ' || jsonb_typeof(p_value) end
$$;
comment on function weir.kind_of_value is 'the kind of a JSON value in words, for messages';

-- Whether a text is dotted slugs, of so many bytes at most (D2); signals have such names too.
create or replace function weir.is_module_name(p_name text, p_bytes integer) returns boolean
language sql immutable parallel safe as $$
  select octet_length(p_name) <= p_bytes and p_name ~ '^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$'
$$;
comment on function weir.is_module_name is 'whether a text is dotted slugs, of so many bytes at most';

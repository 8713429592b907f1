-- weir.input_path of an input schema, for weir.version; null where PostgreSQL cannot have it: the schema is too deep.
create or replace function weir.input_path_of(p_schema jsonb) returns jsonpath
language plpgsql immutable parallel safe as $$
begin
  return 'strict ' || weir.input_path(p_schema);
exception when statement_too_complex or program_limit_exceeded then
  return null;
end $$;
comment on function weir.input_path_of is 'a jsonpath that finds inputs that fit a JSON schema, fast';

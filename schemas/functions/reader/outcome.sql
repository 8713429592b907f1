-- The number that an outcome has in weir.journal: weir.outcome('completed') is 1. See weir.outcomes.
-- Errors: 22023 there is no outcome of that name.
create or replace function weir.outcome(p_name text) returns smallint
language plpgsql immutable parallel safe as $$
declare
  v_number smallint := array_position(weir.outcomes(), p_name);
begin
  if v_number is null then
    raise exception 'no outcome "%"', p_name using errcode = '22023';
  end if;
  return v_number;
end $$;
comment on function weir.outcome is 'the number that an outcome has in the journal';

-- The time, unless nobody can mean it: infinite, or outside of the years 1 to 9999, which is what programs can read.
-- `p_what` names it in the error. Errors: WR003.
create or replace function weir.check_time(p_what text, p_time timestamptz) returns timestamptz
language plpgsql immutable as $$
begin
  if p_time < '0001-01-01 00:00+00' or p_time >= '9999-12-31 00:00+00' then
    raise exception '%: % is out of range', p_what, p_time
      using errcode = 'WR003', hint = 'a time in the years 1 to 9999';
  end if;
  return p_time;
end $$;
comment on function weir.check_time is 'the time, unless it is infinite or far away: then WR003';

-- The time for which a lease is valid. Errors: WR003 out of range.
create or replace function weir.lease_time(p_lease_ms bigint) returns interval
language plpgsql immutable as $$
begin
  if p_lease_ms is null or p_lease_ms not between 1 and 86400000 then
    raise exception 'a lease of % ms', coalesce(p_lease_ms::text, 'null')
      using errcode = 'WR003', hint = 'from 1 ms to 24 h';
  end if;
  return p_lease_ms * interval '1 ms';
end $$;
comment on function weir.lease_time is 'the time for which a lease is valid';

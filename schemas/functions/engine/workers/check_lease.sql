-- Proves that the lease of a worker stands, and keeps it from being declared dead until the transaction ends (L2).
-- Errors: WR001 it lapsed, or the worker was swept, buried, or left.
create or replace function weir.check_lease(worker bigint) returns void
language plpgsql as $$
begin
  perform from weir.worker w where w.id = worker and w.ended_at is null and w.lease_until > clock_timestamp() for update;
  if not found then
    raise exception 'worker % has lost its lease', worker using errcode = 'WR001',
      hint = 'its runs belong to others now; it comes back as a new worker';
  end if;
end $$;
comment on function weir.check_lease is 'proves that the lease of a worker stands; WR001 when it does not';

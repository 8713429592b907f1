-- Renews the lease of a worker that only takes shares, or that has much to send; other workers renew theirs with
-- every exchange (L1). Returns until when the lease is valid. Errors: WR001 it had lapsed: the worker joins again as a
-- new one.
create or replace function weir.renew(worker bigint, lease_ms bigint) returns timestamptz
language plpgsql as $$
declare
  v_until timestamptz;
begin
  perform weir.check_lease(worker);
  update weir.worker w
  set lease_until = clock_timestamp() + weir.lease_time(lease_ms), spared = false
  where w.id = worker
  returning w.lease_until into v_until;
  return v_until;
end $$;
comment on function weir.renew is 'renews the lease of a worker';

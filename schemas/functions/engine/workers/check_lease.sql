-- Checks that the lease of a worker is valid, and keeps the worker from being declared dead until the end of the
-- transaction (L2). If the lease has lapsed, it waits for a sweep that is under way, however short the caller's own
-- lock_timeout is. Errors: WR001 the lease lapsed, or the worker was swept, crashed or left.
create or replace function weir.check_lease(worker bigint) returns void
language plpgsql
set lock_timeout = '2s'
as $$
declare
  v_called timestamptz := clock_timestamp();  -- the server may stand still after weir.notice_outage
begin
  perform weir.notice_outage(worker);
  perform from weir.worker w
  where w.id = worker and w.ended_at is null and w.lease_until > v_called
    and w.timeline = weir.timeline()
  for update;
  if not found then
    raise exception 'worker % has lost its lease', worker using errcode = 'WR001',
      hint = 'other workers have its runs now; it joins again as a new worker';
  end if;
end $$;
comment on function weir.check_lease is 'checks that the lease of a worker is valid; WR001 when it is not';

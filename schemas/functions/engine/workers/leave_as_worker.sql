-- Ends a worker that has drained: what it still holds is released at once, and nothing is charged (L5). A run or a
-- share that somebody else's transaction has locked is left to the next sweep, such as one in which a handler has
-- settled an attempt (C9).
create or replace function weir.leave_as_worker(p_worker bigint) returns void
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
declare
  v_freed boolean;
begin
  perform from weir.worker w where w.id = p_worker and w.ended_at is null for update;
  if not found then return; end if;
  v_freed := weir.release_runs(p_worker, weir.lock_runs(p_worker, false), weir.lock_shares(p_worker, false));
  update weir.worker w
  set ended_at = case when v_freed then clock_timestamp() end, end_reason = case when v_freed then 'left' end,
      lease = '0', lease_until = least(w.lease_until, clock_timestamp()), idle = false,
      in_flight_run = '{}', in_flight_step = '{}', in_flight_index = '{}', in_flight_attempt = '{}',
      in_flight_plugin = '{}'
  where w.id = p_worker;
end $$;
comment on function weir.leave_as_worker is 'ends a worker that has drained, and releases what it held';

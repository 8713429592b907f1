-- The end of a worker that drained: whatever it still owns is free at once, and nothing is charged (L5).
create or replace function weir.leave_as_worker(p_worker bigint) returns void
language plpgsql as $$
begin
  update weir.worker w
  set ended_at = clock_timestamp(), end_reason = 'left', idle = false,
      in_flight_run = '{}', in_flight_step = '{}', in_flight_index = '{}', in_flight_attempt = '{}',
      in_flight_plugin = '{}'
  where w.id = p_worker and w.ended_at is null;
  if not found then return; end if;
  perform weir.free_runs(p_worker);
end $$;

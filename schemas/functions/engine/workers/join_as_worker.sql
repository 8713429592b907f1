-- Adds a worker with a lease; its first exchange has sequence 1. Where p_trial_of is given, the worker holds a trial:
-- it claims only what these crashed workers keep (see weir.end_crashed_worker). p_async_calls: how many deferred calls
-- it may have beside its slots (A4); null is none. Returns its id.
-- Errors: WR003 no host or process, no slots, less than no deferred calls, or a lease that is out of range.
create or replace function weir.join_as_worker(
  p_host text, p_pid integer, p_slots integer, p_lease_ms bigint, p_trial_of bigint[] default null,
  p_async_calls integer default null)
returns bigint
language plpgsql as $$
declare
  v_worker bigint;
begin
  if p_host is null or p_pid is null or p_slots is null or p_slots < 1 then
    raise exception 'a worker of process % on host % with % slots', coalesce(p_pid::text, 'null'),
      coalesce(p_host, 'null'), coalesce(p_slots::text, 'null')
      using errcode = 'WR003', hint = 'a host, a process and at least one slot';
  end if;
  if p_async_calls < 0 then
    raise exception 'a worker with room for % deferred calls', p_async_calls
      using errcode = 'WR003', hint = 'at least 0; null is none';
  end if;
  perform weir.notice_outage();
  insert into weir.worker (host, pid, slots, lease, lease_until, trial_of, async_calls, timeline)
  values (p_host, p_pid, p_slots, weir.lease_time(p_lease_ms), clock_timestamp() + weir.lease_time(p_lease_ms),
          p_trial_of, p_async_calls, weir.timeline())
  returning id into v_worker;
  return v_worker;
end $$;
comment on function weir.join_as_worker is 'adds a worker with a lease';

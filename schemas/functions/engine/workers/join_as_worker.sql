-- Adds a worker with a lease; its first exchange has sequence 1. Returns its id.
create or replace function weir.join_as_worker(p_host text, p_pid integer, p_slots integer, p_lease_ms bigint)
returns bigint
language sql as $$
  insert into weir.worker (host, pid, slots, lease_until)
  values (p_host, p_pid, p_slots, clock_timestamp() + weir.lease_time(p_lease_ms))
  returning id
$$;
comment on function weir.join_as_worker is 'adds a worker with a lease';

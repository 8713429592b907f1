-- Lets leases count from when the database can be reached again (L1). Every call in which a lease counts calls this
-- first, and before it locks anything. The first one after a start of the server, after a crash of it, or after a
-- standby has taken over, gives all workers their lease anew. So does the first one of a worker whose lease has lapsed,
-- if nobody could reach the database meanwhile (see weir.spare_workers). Errors: 25006 the server is a standby, which
-- no worker can use before it takes over: what workers hold is still theirs.
create or replace function weir.notice_outage(p_worker bigint default null) returns void
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
declare
  v_known  boolean;  -- this start of the server
  v_lapsed boolean;  -- the worker's lease, which nobody has swept
begin
  if pg_is_in_recovery() then
    raise exception 'the server is a standby' using errcode = 'read_only_sql_transaction';
  end if;
  select exists (select from weir.uptime u where u.singleton and u.server_started = pg_postmaster_start_time()),
         exists (select from weir.worker w
                 where w.id = p_worker and w.ended_at is null and w.lease_until <= clock_timestamp())
  into v_known, v_lapsed;
  if not v_known then
    insert into weir.uptime as u (server_started, since, swept_at)
    values (pg_postmaster_start_time(), clock_timestamp(), clock_timestamp())
    on conflict (singleton) do update
    set server_started = excluded.server_started, since = excluded.since, swept_at = excluded.swept_at
    where u.server_started <> excluded.server_started;
    if found then
      update weir.worker w
      set lease_until = greatest(w.lease_until, clock_timestamp() + w.lease)
      where w.ended_at is null;
    end if;
  elsif v_lapsed then
    perform from weir.uptime u where u.singleton for update;
    perform weir.spare_workers();
  end if;
end $$;
comment on function weir.notice_outage is 'lets leases count from when the database can be reached again';

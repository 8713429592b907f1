-- Whether the lease of a worker is valid. Locks and writes nothing, for transactions that may stay open: after an
-- outage that nobody has noticed yet (weir.notice_outage, weir.spare_workers), nobody has been swept, and leases will
-- count from then on. Behind a standby that has taken over, no worker is alive that joined before: what it knows may
-- never have happened.
create or replace function weir.is_alive(p_worker bigint) returns boolean
language sql volatile
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
  select exists (
    select from weir.worker w
    where w.id = p_worker and w.ended_at is null and w.lease > '0' and w.timeline = weir.timeline()
      and (w.lease_until > clock_timestamp()
           or not exists (select from weir.uptime u
                          where u.singleton and u.server_started = pg_postmaster_start_time()
                            and (w.spared or u.swept_at + w.lease * 2 / 3 >= clock_timestamp()))))
$$;
comment on function weir.is_alive is 'whether the lease of a worker is valid';

-- Gives workers their lease anew if nobody has swept for two thirds of it: workers sweep three times in a lease, so
-- nobody could reach the database, and whoever is back first gives the others the time to come back as well. Once for
-- each worker until it is heard: one that is dead is swept after that. The caller has locked weir.uptime.
create or replace function weir.spare_workers() returns void
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
begin
  update weir.worker w
  set lease_until = clock_timestamp() + w.lease, spared = true
  from weir.uptime u
  where u.singleton and w.ended_at is null and not w.spared and w.lease > '0'
    and w.lease_until < clock_timestamp() + w.lease and u.swept_at + w.lease * 2 / 3 < clock_timestamp();
end $$;
comment on function weir.spare_workers is 'gives workers their lease anew if nobody could reach the database';

-- Runs under limits were released or ended: workers that wait for a place claim at once. The notification is sent even
-- when no worker is known to wait: one that claims at this moment may not see yet that the place is free.
create or replace function weir.places_freed() returns void
language sql as $$ select pg_notify('weir_ready', '') $$;
comment on function weir.places_freed is 'notifies waiting workers that places under a limit are free';

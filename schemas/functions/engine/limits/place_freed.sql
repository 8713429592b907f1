-- A run under limits was released or ended: workers that wait for its place claim at once. The notification is sent
-- even when no worker is known to wait: one that claims at this moment may not see yet that the place is free.
create or replace function weir.place_freed() returns trigger
language plpgsql as $$
begin
  perform pg_notify('weir_ready', '');
  return null;
end $$;
comment on function weir.place_freed is 'notifies waiting workers that a place under a limit is free';

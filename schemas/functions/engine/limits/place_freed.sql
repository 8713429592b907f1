-- A run under limits was let go of or ended: whoever waits for its place looks at once. Told even while nobody is
-- known to wait: who looks just now may not see yet that the place is free.
create or replace function weir.place_freed() returns trigger
language plpgsql as $$
begin
  perform pg_notify('weir_ready', '');
  return null;
end $$;
comment on function weir.place_freed is 'tells waiting workers that a place under a limit is free';

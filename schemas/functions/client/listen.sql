-- Registers a listener to the channel weir_events for another `for_ms` milliseconds: workers publish events only while
-- there is one (E1). Call it with null first, and then with the id that it returned, well before the time is over.
-- Returns the id. No errors.
create or replace function weir.listen(listener bigint, for_ms bigint) returns bigint
language plpgsql as $$
declare
  v_until timestamptz := now() + for_ms * interval '1 ms';
  v_id    bigint;
begin
  delete from weir.listening l where l.until < now();
  update weir.listening l set until = v_until where l.id = listener returning l.id into v_id;
  if v_id is null then
    insert into weir.listening (until) values (v_until) returning id into v_id;
    perform weir.wake_workers();  -- they read it in their next exchange
  end if;
  return v_id;
end $$;
comment on function weir.listen(bigint, bigint) is 'registers a listener to the channel weir_events for some time';

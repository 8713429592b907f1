-- Registers a listener to the channel weir_events for another `for_ms` milliseconds: workers publish events only while
-- there is one (E1). Call it with null first, and then with the id that it returned, well before the time is over.
-- Returns the id. Errors: WR003 for_ms is out of range.
create or replace function weir.listen(listener bigint, for_ms bigint) returns bigint
language plpgsql as $$
declare
  v_until timestamptz;
  v_id    bigint;
begin
  if for_ms is null or for_ms not between 1 and 86400000 then
    raise exception 'for_ms: % is out of range', coalesce(for_ms::text, 'null')
      using errcode = 'WR003', hint = 'from 1 to 86400000, a day';
  end if;
  v_until := now() + for_ms * interval '1 ms';
  delete from weir.listening l where l.until < now();
  update weir.listening l set until = v_until where l.id = listener returning l.id into v_id;
  if v_id is null then
    insert into weir.listening (until) values (v_until) returning id into v_id;
    perform weir.wake_workers();  -- they read it in their next exchange
  end if;
  return v_id;
end $$;
comment on function weir.listen(bigint, bigint) is 'registers a listener to the channel weir_events for some time';

-- Says for `for_ms` milliseconds more that somebody listens to channel weir_events: only then do workers send what
-- happens (E1). Called with null at first, and then, well before the time is over, with the id it returned.
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
    perform weir.wake_workers();  -- their next exchange tells them
  end if;
  return v_id;
end $$;
comment on function weir.listen(bigint, bigint) is 'says for a while that somebody listens to channel weir_events';

-- Wakes idle workers: there may be runs to claim. It is a hint, sent only when a worker waits for it.
-- NOTIFY takes a lock of the whole server, so this is called once a statement.
create or replace function weir.wake_workers() returns void
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
begin
  if exists (select from weir.worker w where w.ended_at is null and w.idle and w.lease_until > now()) then
    perform pg_notify('weir_ready', '');
  end if;
end $$;
comment on function weir.wake_workers is 'wakes idle workers: there may be runs to claim';

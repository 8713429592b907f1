-- Removes a listener that weir.listen registered. Without this call it ends when its time is over.
create or replace function weir.listen_no_more(listener bigint) returns void
language sql as $$ delete from weir.listening l where l.id = listener $$;
comment on function weir.listen_no_more is 'removes a listener that weir.listen registered';

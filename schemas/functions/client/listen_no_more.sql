-- Takes back what weir.listen said. Without it, what was said ends with its time.
create or replace function weir.listen_no_more(listener bigint) returns void
language sql as $$ delete from weir.listening l where l.id = listener $$;
comment on function weir.listen_no_more is 'takes back what weir.listen said';

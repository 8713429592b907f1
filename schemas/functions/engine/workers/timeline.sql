-- The timeline of the server's log. A standby that takes over begins another one; what was committed before that may be
-- lost.
create or replace function weir.timeline() returns text
language sql volatile as $$ select substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) $$;
comment on function weir.timeline is 'the timeline of the server''s log: another one after a standby has taken over';

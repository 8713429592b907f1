-- Drops the partitions of the journal of which no run is left, and to which no new run can belong. Returns how many
-- were dropped.
create or replace function weir.drop_journal_partitions() returns integer
language plpgsql
set jit = off set enable_seqscan = off
set lock_timeout = '200ms'  -- it will be called again: exchanges queue up behind it
as $$
declare
  v_current bigint := coalesce((select s.last_value
                                from pg_sequences s
                                where s.schemaname = 'weir' and s.sequencename = 'run_id_seq'), 0)
                      / weir.journal_range();
  v_number  bigint;
  v_dropped integer := 0;
begin
  for v_number in
    select substring(c.relname from '^journal_([0-9]+)$')::bigint as number
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'weir.journal'::regclass and c.relname ~ '^journal_[0-9]+$'
    order by number
  loop
    continue when v_number >= v_current;
    continue when exists (select from weir.run r
                          where r.id >= v_number * weir.journal_range()
                            and r.id < (v_number + 1) * weir.journal_range());
    begin
      execute format('drop table weir.%I', 'journal_' || v_number);
      v_dropped := v_dropped + 1;
    exception when lock_not_available then
      exit;  -- the next call drops it; those before it are dropped
    end;
  end loop;
  return v_dropped;
end $$;
comment on function weir.drop_journal_partitions is 'drops the partitions of the journal of which no run is left';

-- Makes the partitions of the journal that runs will need soon: the current one and the next. Rows that were written to
-- weir.journal_rest before are moved to them. Returns how many were made.
create or replace function weir.add_journal_partitions() returns integer
language plpgsql
set lock_timeout = '2s'  -- it will be called again; nothing may queue up behind it
as $$
declare
  v_current bigint := coalesce((select s.last_value
                                from pg_sequences s
                                where s.schemaname = 'weir' and s.sequencename = 'run_id_seq'), 0)
                      / weir.journal_range();
  v_name    text;
  v_made    integer := 0;
begin
  for number in v_current .. v_current + 1 loop
    v_name := 'journal_' || number;
    continue when to_regclass('weir.' || v_name) is not null;
    if number = v_current then  -- rows on their way to weir.journal_rest would be refused, and those there not moved
      lock table only weir.journal in access exclusive mode;
    else
      lock table weir.journal in share update exclusive mode;
    end if;
    continue when to_regclass('weir.' || v_name) is not null;  -- another process made it
    execute format('create table weir.%I (like weir.journal including all)', v_name);
    execute format('with moved as ('
                   'delete from weir.journal_rest j where j.run_id >= %1$s and j.run_id < %2$s returning j.*) '
                   'insert into weir.%3$I select * from moved',
                   number * weir.journal_range(), (number + 1) * weir.journal_range(), v_name);
    execute format('alter table weir.journal attach partition weir.%I for values from (%s) to (%s)',
                   v_name, number * weir.journal_range(), (number + 1) * weir.journal_range());
    v_made := v_made + 1;
  end loop;
  return v_made;
end $$;
comment on function weir.add_journal_partitions is 'makes the partitions of the journal that runs will need soon';

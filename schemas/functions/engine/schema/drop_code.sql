-- Drops the views and functions of the schema, so that they can be created again with other columns, arguments or
-- results. Trigger functions are kept. Objects of users that depend on them are not dropped: this fails with 2BP01.
create or replace function weir.drop_code() returns void
language plpgsql as $$
declare
  v_names text;
begin
  select string_agg(c.oid::regclass::text, ', ') into v_names
  from pg_class c
  where c.relnamespace = 'weir'::regnamespace and c.relkind = 'v';
  if v_names is not null then execute 'drop view ' || v_names; end if;
  select string_agg(p.oid::regprocedure::text, ', ') into v_names
  from pg_proc p
  where p.pronamespace = 'weir'::regnamespace and p.proname <> 'drop_code'
    and not exists (select from pg_trigger t where t.tgfoid = p.oid);
  if v_names is not null then execute 'drop routine ' || v_names; end if;
end $$;
comment on function weir.drop_code is 'drops the views and functions of the schema, to create them again';

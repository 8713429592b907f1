-- Three roles with the least rights that they need, for the database's owner to grant to users:
--   weir_reader  reads the views
--   weir_client  reads the views, starts runs and sends them requests
--   weir_worker  calls what a worker calls, and nothing else
-- Roles belong to the whole server, so another database may have made them. Where the user may not make them there are
-- none, and only the owner may do anything. Functions act with the rights of the schema's owner.
do $$
declare
  v_role text;
  v_call record;
  v_view text;
begin
  foreach v_role in array array['weir_reader', 'weir_client', 'weir_worker'] loop
    if not exists (select from pg_roles r where r.rolname = v_role) then
      begin
        execute format('create role %I nologin', v_role);
      exception
        when duplicate_object or unique_violation then null;  -- another database made it at this moment
        when insufficient_privilege then
          raise notice 'role % was not made: this user may not make roles', v_role;
      end;
    end if;
  end loop;

  revoke all on all routines in schema weir from public;
  for v_call in
    select distinct p.oid::regprocedure::text as signature
    from weir.rights() r
    join pg_proc p on p.pronamespace = 'weir'::regnamespace and p.proname = r.function
    where p.provolatile <> 'i'  -- an immutable one reads no table: the caller's rights suffice
  loop
    -- jit: where a plan forbids scans, its cost can look so high that PostgreSQL would compile it at each call.
    execute format('alter routine %s security definer set search_path = pg_catalog, pg_temp set jit = off',
                   v_call.signature);
  end loop;

  foreach v_role in array array['weir_reader', 'weir_client', 'weir_worker'] loop
    continue when not exists (select from pg_roles r where r.rolname = v_role);
    execute format('grant usage on schema weir to %I', v_role);
    for v_call in
      select distinct p.oid::regprocedure::text as signature
      from weir.rights() r
      join pg_proc p on p.pronamespace = 'weir'::regnamespace and p.proname = r.function
      where r.role = v_role or (r.role = 'weir_reader' and v_role = 'weir_client')
    loop
      execute format('grant execute on routine %s to %I', v_call.signature, v_role);
    end loop;
    for v_view in
      select c.oid::regclass::text
      from pg_class c
      where c.relnamespace = 'weir'::regnamespace and c.relkind = 'v'
        and (v_role <> 'weir_worker' or c.relname in ('versions', 'workers'))
    loop
      execute format('grant select on %s to %I', v_view, v_role);
    end loop;
    -- Every program checks first whether it knows this schema.
    execute format('grant select on weir.migration, weir.schema_code to %I', v_role);
  end loop;
  if exists (select from pg_roles r where r.rolname = 'weir_worker') then
    grant select on weir.journal to weir_worker;
  end if;
end $$;

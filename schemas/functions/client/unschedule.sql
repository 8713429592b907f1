-- Removes a schedule. Runs that it started continue. Returns false when there is no schedule of that name.
create or replace function weir.unschedule(name text) returns boolean
language plpgsql as $$
begin
  delete from weir.schedule s where s.name = unschedule.name;
  if not found then return false; end if;
  perform pg_notify('weir_schedules', '');
  return true;
end $$;
comment on function weir.unschedule is 'removes a schedule; false: there is none of that name';

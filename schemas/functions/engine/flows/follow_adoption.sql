-- A run that a worker lets go of, loses or dies with goes on with the version that adopted its own (V3).
create or replace function weir.follow_adoption() returns trigger
language plpgsql as $$
declare
  v_to integer;
begin
  select a.to_version into v_to from weir.adoption a where a.from_version = new.version_id;
  if found then
    new.version_id := v_to;
    update weir.run r set version_id = v_to where r.id = new.run_id;
  end if;
  return new;
end $$;
comment on function weir.follow_adoption is 'has a run that is let go of go on with the version that adopted its own';

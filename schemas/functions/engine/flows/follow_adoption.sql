-- A run that its worker releases or loses, or with which its worker dies, continues with the version that adopted its
-- own (V3).
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
comment on function weir.follow_adoption is 'moves a run that its worker releases to the version that adopted its own';

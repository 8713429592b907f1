-- A schedule may wait for the flow that became known just now.
create or replace function weir.flow_came() returns trigger
language plpgsql as $$
begin
  if exists (select from weir.schedule s where s.waits_for is not null) then
    perform pg_notify('weir_schedules', '');
  end if;
  return null;
end $$;
comment on function weir.flow_came is 'tells those who wait for schedules that there is a new version of a flow';

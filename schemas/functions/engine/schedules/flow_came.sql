-- Notifies the processes that start schedules: one may wait for the flow that was registered just now.
create or replace function weir.flow_came() returns trigger
language plpgsql as $$
begin
  if exists (select from weir.schedule s where s.waits_for is not null) then
    perform pg_notify('weir_schedules', '');
  end if;
  return null;
end $$;
comment on function weir.flow_came is
  'notifies the processes that start schedules that there is a new version of a flow';

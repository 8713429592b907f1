-- How late a tick may be started and still be on time. Later, it counts as missed: no process was running.
create or replace function weir.schedule_grace() returns interval
language sql immutable parallel safe as $$ select interval '15 seconds' $$;
comment on function weir.schedule_grace is 'how late a scheduled tick may be started before it counts as missed';

-- How late a tick may be started and still be itself. Longer ago, it was missed: nobody ran.
create or replace function weir.schedule_grace() returns interval
language sql immutable parallel safe as $$ select interval '15 seconds' $$;
comment on function weir.schedule_grace is 'how late a scheduled tick may be started before it counts as missed';

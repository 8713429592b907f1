-- Starts a flow whenever a cron expression is due (C5; weir.cron_next describes the expressions), with this input,
-- priority and tags; or replaces the whole schedule of that name. `missed` says what happens to ticks that no process
-- started in time: 'run' starts one run for all of them, 'skip' starts none. The flow need not be known yet: the first
-- tick waits for it. Returns when the schedule is due first.
-- Errors: WR003 a value out of range, or no cron expression or time zone.
create or replace function weir.schedule(
  name text, flow text, cron text, input jsonb default 'null', time_zone text default 'UTC',
  priority integer default 0, tags text[] default '{}', missed text default 'run', paused boolean default false)
returns timestamptz
language plpgsql as $$
#variable_conflict use_column
declare
  v_next timestamptz;
begin
  if schedule.name is null or octet_length(schedule.name) not between 1 and 128 then
    raise exception 'a schedule''s name of % bytes', coalesce(octet_length(schedule.name), 0)
      using errcode = 'WR003', hint = 'from 1 to 128 bytes';
  end if;
  if schedule.flow is null or schedule.flow !~ '^[A-Za-z_][A-Za-z0-9_]*$' or octet_length(schedule.flow) > 128 then
    raise exception '"%" is no slug of a flow', coalesce(schedule.flow, 'null') using errcode = 'WR003';
  end if;
  if schedule.priority is null or schedule.priority not between -100 and 100 then
    raise exception 'priority % is out of range', coalesce(schedule.priority::text, 'null')
      using errcode = 'WR003', hint = 'from -100 to 100';
  end if;
  if schedule.missed is null or schedule.missed not in ('run', 'skip') then
    raise exception 'missed: "%" is neither run nor skip', coalesce(schedule.missed, 'null') using errcode = 'WR003';
  end if;
  if schedule.paused is null then
    raise exception 'paused: null is neither true nor false' using errcode = 'WR003';
  end if;
  if schedule.cron is null then
    raise exception 'cron: null is no expression' using errcode = 'WR003';
  end if;
  -- By the list of names, not by the parser: it takes a misspelt name for a POSIX rule, which may mean UTC.
  if not exists (select from pg_timezone_names z where z.name = schedule.time_zone) then
    raise exception using errcode = 'WR003', message = format('no time zone "%s"', schedule.time_zone),
      hint = coalesce((select format('did you mean "%s"?', z.name) from pg_timezone_names z
                       where lower(z.name) = lower(schedule.time_zone) limit 1),
                      'a name such as Europe/Berlin: select name from pg_timezone_names');
  end if;
  v_next := weir.cron_next(schedule.cron, schedule.time_zone, clock_timestamp());
  insert into weir.schedule as s
    (name, flow, cron, time_zone, input, priority, tags, missed, paused, next_at)
  values (schedule.name, schedule.flow, schedule.cron, schedule.time_zone, coalesce(schedule.input, 'null'),
          schedule.priority, weir.check_tags(coalesce(schedule.tags, '{}')), schedule.missed, schedule.paused, v_next)
  on conflict (name) do update
  set flow = excluded.flow, cron = excluded.cron, time_zone = excluded.time_zone, input = excluded.input,
      priority = excluded.priority, tags = excluded.tags, missed = excluded.missed, paused = excluded.paused,
      waits_for = null,
      next_at = case when (s.cron, s.time_zone, s.paused) = (excluded.cron, excluded.time_zone, excluded.paused)
                     then s.next_at
                     else excluded.next_at end
  returning next_at into v_next;
  perform pg_notify('weir_schedules', '');
  return v_next;
end $$;
comment on function weir.schedule is
  'starts a flow whenever a cron expression is due; adds a schedule or replaces the one of that name';

-- Starts what schedules are due, each tick exactly one run however many call this (C5): the schedule's row is
-- locked, and the run's idempotency key says schedule and tick. Those that others are just seeing to are left to
-- them. Of ticks that nobody started in time (weir.schedule_grace) the first is started for all of them, or none,
-- as the schedule says; the others each have their run. A tick whose flow is not known waits for it, and says so in
-- weir.schedules; one whose start is refused is over, and says so too.
-- Returns how many runs it started, the database's time, and when the next schedule is due (null: none is).
create or replace function weir.tick(out started integer, out database_time timestamptz, out next_at timestamptz)
language plpgsql as $$
#variable_conflict use_column
declare
  v_now      timestamptz := clock_timestamp();
  v_schedule weir.schedule%rowtype;
  v_tick     timestamptz;
  v_run      uuid;
  v_created  boolean;
  v_text     text;
begin
  started := 0;
  for v_schedule in
    select * from weir.schedule s where not s.paused and s.next_at <= v_now
    order by s.next_at, s.id limit 100 for update skip locked
  loop
    v_tick := v_schedule.next_at;
    while v_tick <= v_now loop
      if v_tick > v_now - weir.schedule_grace() or v_schedule.missed = 'run' then
        begin
          select r.run_id, r.created into v_run, v_created
          from weir.start(v_schedule.flow, v_schedule.input, priority => v_schedule.priority,
            idempotency_key => format('schedule %s %s', v_schedule.name,
                                      to_char(v_tick at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
            tags => v_schedule.tags || ('schedule:' || v_schedule.name)) as r;
          started := started + v_created::integer;
          v_schedule.last_at := v_tick;
          v_schedule.last_run := v_run;
          v_schedule.waits_for := null;
          v_schedule.error := null;
        exception
          when sqlstate 'WR002' then
            get stacked diagnostics v_text = message_text;
            v_schedule.waits_for := v_text;
            exit;
          when sqlstate 'WR003' then
            get stacked diagnostics v_text = message_text;
            v_schedule.last_at := v_tick;
            v_schedule.last_run := null;
            v_schedule.waits_for := null;
            v_schedule.error := v_text;
        end;
      end if;
      v_tick := weir.cron_next(v_schedule.cron, v_schedule.time_zone, greatest(v_tick, v_now - weir.schedule_grace()));
    end loop;
    update weir.schedule s
    set next_at = v_tick, last_at = v_schedule.last_at, last_run = v_schedule.last_run, waits_for = v_schedule.waits_for,
        error = v_schedule.error
    where s.id = v_schedule.id;
  end loop;
  database_time := clock_timestamp();
  select min(case when s.next_at > v_now then s.next_at  -- others: being seen to, or waiting for their flow
                  else database_time + case when s.waits_for is null then interval '50 ms' else interval '5 seconds' end end)
  into next_at from weir.schedule s where not s.paused;
end $$;
comment on function weir.tick is 'starts what schedules are due; each tick one run, whoever calls it';

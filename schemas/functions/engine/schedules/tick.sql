-- Starts the schedules that are due, with exactly one run for each tick, however many processes call this (C5): the row
-- of the schedule is locked, and the run's idempotency key is made of schedule and tick. Schedules that another process
-- has locked are left to it. Of the ticks that no process started in time (weir.schedule_grace) the first is started
-- for all of them, or none is, as the schedule says; each tick that is on time has a run of its own. A tick whose flow
-- is not known waits for it, which weir.schedules shows. A tick whose start is refused is over, which it shows as well.
-- A schedule whose next tick cannot be found any more, because the server no longer knows its time zone, is paused with
-- its error.
-- Returns how many runs were started, the database's time, and when the next schedule is due (null: there is none).
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
    select * from weir.schedule s
    where not s.paused and s.next_at <= v_now
    order by s.next_at, s.id
    limit 100
    for update skip locked
  loop
    v_tick := v_schedule.next_at;
    while v_tick <= v_now loop
      if v_tick > v_now - weir.schedule_grace() or v_schedule.missed = 'run' then
        begin
          select r.run_id, r.created into v_run, v_created
          from weir.start(
            v_schedule.flow, v_schedule.input,
            priority => v_schedule.priority,
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
      begin
        v_tick := weir.cron_next(v_schedule.cron, v_schedule.time_zone,
                                 greatest(v_tick, v_now - weir.schedule_grace()));
      exception when data_exception or sqlstate 'WR003' then
        get stacked diagnostics v_text = message_text;
        v_schedule.error := v_text;
        v_schedule.paused := true;
        exit;
      end;
    end loop;
    update weir.schedule s
    set next_at = v_tick, last_at = v_schedule.last_at, last_run = v_schedule.last_run,
        waits_for = v_schedule.waits_for, error = v_schedule.error, paused = v_schedule.paused
    where s.id = v_schedule.id;
  end loop;
  database_time := clock_timestamp();
  select min(case when s.next_at > v_now then s.next_at
                  -- Another process starts it at this moment, or it waits for its flow.
                  else database_time + case when s.waits_for is null then interval '50 ms'
                                            else interval '5 seconds' end end)
  into next_at
  from weir.schedule s
  where not s.paused;
end $$;
comment on function weir.tick is
  'starts the schedules that are due; one run for each tick, however many processes call it';

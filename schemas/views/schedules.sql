create or replace view weir.schedules as
select s.name, s.flow, s.cron, s.time_zone,
       case when s.paused then 'paused' when s.waits_for is not null then 'waiting' else 'active' end as status,
       case when not s.paused then s.next_at end as next_at, s.last_at, s.last_run, s.input, s.priority, s.tags,
       s.missed, coalesce(s.waits_for, s.error) as error, s.created_at
from weir.schedule s;
comment on view weir.schedules is 'every schedule: when it is due next, and which run its last tick started';
comment on column weir.schedules.name is 'its name';
comment on column weir.schedules.flow is 'slug of the flow that it starts';
comment on column weir.schedules.cron is 'when: five fields, or @daily and the like';
comment on column weir.schedules.time_zone is 'the time zone in which the cron expression is read';
comment on column weir.schedules.status is 'active, paused, or waiting for its flow to become known';
comment on column weir.schedules.next_at is 'when it is due next; null: it is paused';
comment on column weir.schedules.last_at is 'the tick that was started last';
comment on column weir.schedules.last_run is 'UUID of the run of that tick';
comment on column weir.schedules.input is 'the input of its runs';
comment on column weir.schedules.priority is 'the priority of its runs';
comment on column weir.schedules.tags is 'the tags of its runs';
comment on column weir.schedules.missed is
  'what happens to ticks that no process started in time: run (one run for all of them) or skip';
comment on column weir.schedules.error is 'why it waits, or why its last tick could not be started';
comment on column weir.schedules.created_at is 'when it was added';

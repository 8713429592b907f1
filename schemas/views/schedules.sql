create or replace view weir.schedules as
select s.name, s.flow, s.cron, s.time_zone,
       case when s.paused then 'paused' when s.waits_for is not null then 'waiting' else 'active' end as status,
       case when not s.paused then s.next_at end as next_at, s.last_at, s.last_run, s.input, s.priority, s.tags, s.missed,
       coalesce(s.waits_for, s.error) as error, s.created_at
from weir.schedule s;
comment on view weir.schedules is 'every schedule: when it is due next, and which run its last tick started';
comment on column weir.schedules.status is 'active, paused, or waiting for its flow to become known';
comment on column weir.schedules.error is 'why it waits, or why its last tick could not be started';

create or replace view weir.workers as
select w.id as worker_id, w.host, w.pid, w.slots, w.started_at, w.lease_until,
       w.ended_at is null and w.lease_until > now() as alive,
       cardinality(w.in_flight_run) as in_flight, w.ended_at, w.end_reason,
       (select count(*) from weir.open_run o where o.worker_id = w.id) as runs, w.async_calls
from weir.worker w;
comment on view weir.workers is 'every worker that joined; alive while its lease is valid';
comment on column weir.workers.worker_id is 'counted from 1';
comment on column weir.workers.host is 'the host that it runs on';
comment on column weir.workers.pid is 'its process';
comment on column weir.workers.slots is 'how many tasks it runs at once';
comment on column weir.workers.started_at is 'when it joined';
comment on column weir.workers.lease_until is 'until when it counts as alive unless it renews its lease';
comment on column weir.workers.alive is 'its lease is valid';
comment on column weir.workers.in_flight is 'how many attempts it runs';
comment on column weir.workers.ended_at is 'when it left, or was declared dead';
comment on column weir.workers.end_reason is 'left (it drained), lapsed (its lease lapsed) or crashed';
comment on column weir.workers.runs is 'how many runs it holds';
comment on column weir.workers.async_calls is
  'how many deferred calls it may have beside its slots; null: it did not say';

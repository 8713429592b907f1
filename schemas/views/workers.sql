create or replace view weir.workers as
select w.id as worker_id, w.host, w.pid, w.slots, w.started_at, w.lease_until,
       w.ended_at is null and w.lease_until > now() as alive,
       cardinality(w.in_flight_run) as in_flight, w.ended_at, w.end_reason,
       (select count(*) from weir.open_run o where o.worker_id = w.id) as runs
from weir.worker w;
comment on view weir.workers is 'every worker that joined; alive while its lease stands';

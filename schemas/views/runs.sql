create or replace view weir.runs as
select r.uuid as run_id, f.slug as flow, v.number as version,
       case r.status when 1 then 'completed' when 2 then 'failed' when 3 then 'cancelled'
            else case when o.claims > 0 then 'running' else 'queued' end end as status,
       r.priority, r.input, r.output, r.error, r.idempotency_key, r.tags, r.created_at, r.available_at,
       coalesce(r.started_at, o.started_at) as started_at, r.ended_at, o.wake_at, o.worker_id
from weir.run r
join weir.version v on v.id = r.version_id
join weir.flow f on f.id = v.flow_id
left join weir.open_run o on o.run_id = r.id;
comment on view weir.runs is 'every run with its live state: queued, running, completed, failed or cancelled';

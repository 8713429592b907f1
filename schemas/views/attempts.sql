create or replace view weir.attempts as
select r.uuid as run_id, s.slug as step, j.task_index, j.attempt,
       (array['completed', 'failed', 'failed_for_good', 'timed_out', 'lost', 'cancelled'])[j.outcome] as outcome,
       j.output, j.error_code, j.error, j.retry_after_ms, j.started_at, j.ended_at, j.worker_id, p.sha256 as plugin_sha256
from weir.journal j
join weir.run r on r.id = j.run_id
join weir.step s on s.version_id = r.version_id and s.position = j.step
left join weir.plugin p on p.id = j.plugin_id
union all
select r.uuid, s.slug, f.task_index, f.attempt, 'running', null, null, null, null, null, null, w.id, p.sha256
from weir.worker w
cross join lateral unnest(w.in_flight_run, w.in_flight_step, w.in_flight_index, w.in_flight_attempt, w.in_flight_plugin)
       as f(run_id, step, task_index, attempt, plugin_id)
join weir.run r on r.id = f.run_id
join weir.step s on s.version_id = r.version_id and s.position = f.step
left join weir.plugin p on p.id = f.plugin_id
where w.ended_at is null;
comment on view weir.attempts is 'every attempt of every task, those that run now included';

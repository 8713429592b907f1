create or replace view weir.attempts as
select r.uuid as run_id, s.slug as step, j.task_index, j.attempt,
       (weir.outcomes())[j.outcome] as outcome,
       j.output, j.error_code, j.error, j.retry_after_ms, j.started_at, j.ended_at,
       nullif(j.worker_id, 0) as worker_id, p.sha256 as plugin_sha256
from weir.journal j
join weir.run r on r.id = j.run_id
join weir.step s on s.version_id = r.version_id and s.position = j.step
left join weir.plugin p on p.id = j.plugin_id
where j.outcome <> weir.outcome('skipped')
union all
select r.uuid, s.slug, f.task_index, f.attempt, 'running', null, null, null, null, null, null, w.id, p.sha256
from weir.worker w
cross join lateral
  unnest(w.in_flight_run, w.in_flight_step, w.in_flight_index, w.in_flight_attempt, w.in_flight_plugin)
    as f(run_id, step, task_index, attempt, plugin_id)
join weir.run r on r.id = f.run_id
join weir.step s on s.version_id = r.version_id and s.position = f.step
left join weir.plugin p on p.id = f.plugin_id
where w.ended_at is null;
comment on view weir.attempts is 'every attempt of every task, including those in flight';
comment on column weir.attempts.run_id is 'UUID of the run';
comment on column weir.attempts.step is 'slug of the step';
comment on column weir.attempts.task_index is 'which element of a map, counted from 0; otherwise 0';
comment on column weir.attempts.attempt is 'counted from 1 for each task';
comment on column weir.attempts.outcome is
  'running, completed, failed, failed_for_good, timed_out, lost (with its worker) or cancelled; '
  'retried is no attempt: from there on the task was retried by command';
comment on column weir.attempts.output is 'of a completed attempt; or the output that was refused';
comment on column weir.attempts.error_code is 'a stable word for why it failed';
comment on column weir.attempts.error is 'why it failed';
comment on column weir.attempts.retry_after_ms is 'how long its handler asked to wait before the next attempt';
comment on column weir.attempts.started_at is 'when it began; null while it runs';
comment on column weir.attempts.ended_at is 'when it ended; null while it runs';
comment on column weir.attempts.worker_id is 'the worker that ran it';
comment on column weir.attempts.plugin_sha256 is 'the plugin file whose code ran; null: built into the program';

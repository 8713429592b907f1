create or replace view weir.runs as
select r.uuid as run_id, f.slug as flow, v.number as version,
       case r.status
         when 1 then 'completed'
         when 2 then 'failed'
         when 3 then 'cancelled'
         else case when o.started_at is not null then 'running' else 'queued' end end as status,
       r.priority, r.input, r.output, r.error, s.slug as failed_step, r.note, r.idempotency_key, r.tags, r.created_at,
       r.available_at, coalesce(r.started_at, o.started_at) as started_at, r.ended_at,
       nullif(o.wake_at, '9999-12-31 00:00+00') as wake_at,  -- that far: it wakes only on a notification
       o.worker_id,
       o.cancel_reason, r.status = 0 and f.paused_at is not null as paused,
       (select p.uuid from weir.run p where p.id = r.parent_run) as parent_run_id,
       (select t.slug
        from weir.run p
        join weir.step t on t.version_id = p.version_id and t.position = r.parent_step
        where p.id = r.parent_run) as parent_step,
       r.id as number,
       case when r.status = 0 and o.worker_id is null then weir.why_waiting(r.version_id) end as waits_for
from weir.run r
join weir.version v on v.id = r.version_id
join weir.flow f on f.id = v.flow_id
left join weir.open_run o on o.run_id = r.id
left join weir.step s on s.version_id = r.version_id and s.position = r.failed_step;
comment on view weir.runs is 'every run with its live state: queued, running, completed, failed or cancelled';
comment on column weir.runs.run_id is 'UUID of the run; of version 7, unless its start gave one';
comment on column weir.runs.flow is 'slug of the flow';
comment on column weir.runs.version is 'the version of the flow that it runs';
comment on column weir.runs.status is
  'queued (not begun), running (begun; also while it sleeps), completed, failed or cancelled';
comment on column weir.runs.priority is 'from -100 to 100: higher ones are begun first';
comment on column weir.runs.input is 'the input that its start gave';
comment on column weir.runs.output is 'of a completed run: an object with the outputs of the last steps';
comment on column weir.runs.error is 'why it failed, or was cancelled';
comment on column weir.runs.failed_step is 'of a failed run: slug of the step that failed';
comment on column weir.runs.note is 'of a completed run without output: why there is none';
comment on column weir.runs.idempotency_key is
  'the key that its start gave: the same key on the same flow is the same run';
comment on column weir.runs.tags is 'the tags that its start gave, to find it by';
comment on column weir.runs.created_at is 'when it was started, by command, by a schedule or as a child run';
comment on column weir.runs.available_at is
  'from when on it may begin: later than created_at for a start with a delay or a time';
comment on column weir.runs.started_at is 'when a worker claimed it first';
comment on column weir.runs.ended_at is 'when it ended';
comment on column weir.runs.wake_at is
  'of an open run that sleeps: when it wakes, unless a notification wakes it before; null: only that does';
comment on column weir.runs.worker_id is 'of an open run: the worker that holds it now';
comment on column weir.runs.cancel_reason is 'of an open run: it was cancelled, and its worker is about to end it';
comment on column weir.runs.paused is 'it is open, and its flow is paused';
comment on column weir.runs.parent_run_id is 'of a child run: the run whose step waits for it';
comment on column weir.runs.parent_step is 'of a child run: slug of the step that started it';
comment on column weir.runs.number is 'grows with every start: an index on it gives runs by age without sorting';
comment on column weir.runs.waits_for is
  'of an open run that no worker holds: why no worker may begin it now, and what to do; null: one may';

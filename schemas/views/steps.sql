create or replace view weir.steps as
select r.uuid as run_id, f.slug as flow, s.*
from weir.run r
join weir.version v on v.id = r.version_id
join weir.flow f on f.id = v.flow_id
cross join lateral weir.steps_of(r.id) as s;
comment on view weir.steps is
  'the steps of every run: waiting, ready, running, completed, failed, skipped or cancelled; '
  'ask for one run_id at a time';
comment on column weir.steps.run_id is 'UUID of the run';
comment on column weir.steps.flow is 'slug of its flow';
comment on column weir.steps.position is 'canonical order: dependencies first, ties by slug';
comment on column weir.steps.step is 'slug of the step';
comment on column weir.steps.kind is 'single, map, wait (for a signal or a time) or flow (a child run)';
comment on column weir.steps.status is
  'waiting (for other steps), ready, running (a wait: begun; a flow step: its child run is open), completed, failed, '
  'skipped or cancelled';
comment on column weir.steps.tasks is
  'of a map one for each element, otherwise 1; null while the array that a map runs over is not known';
comment on column weir.steps.tasks_completed is 'how many of its tasks are completed';
comment on column weir.steps.attempts is 'how many attempts of its tasks were begun, including those in flight';
comment on column weir.steps.output is
  'the output that dependents get; of a map the array of the outputs of its tasks, or null where that is too large '
  'for one value';
comment on column weir.steps.error is 'of the attempt that failed last, unless the step is completed';
comment on column weir.steps.skip_reason is 'of a skipped step: condition_unmet, handler_failed or dependency_skipped';
comment on column weir.steps.started_at is 'when its first attempt began';
comment on column weir.steps.ended_at is 'when it ended';
comment on column weir.steps.depends_on is 'slugs of the steps that it waits for';
comment on column weir.steps.signal is 'of a wait: name of the signal that ends it';
comment on column weir.steps.until is 'of a wait that has begun: when it ends by itself, as its definition says';
comment on column weir.steps.child_run_id is 'of a flow step: the child run that it started last';
comment on column weir.steps.retried is 'how many times tasks of it were retried by command';

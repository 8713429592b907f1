-- Opens a failed or cancelled run again (C3): it continues with the tasks that are not completed. For each task that
-- failed a row of the journal records the retry. Returns how many tasks are retried.
-- Errors: WR002 no such run; WR003 its version was adopted by one that its input does not fit; WR006 it is open, or
-- completed.
create or replace function weir.retry(run_id uuid) returns integer
language plpgsql
set jit = off set enable_seqscan = off
as $$
declare
  v_run     weir.run%rowtype := weir.run_by_uuid(run_id);
  v_now     timestamptz := clock_timestamp();
  v_version integer;
  v_tasks   integer;
begin
  select * into v_run from weir.run r where r.id = v_run.id for update;
  if v_run.status not in (2, 3) then
    raise exception using errcode = 'WR006',
      message = format('run %s is %s', run_id, case v_run.status when 0 then 'not over' else 'completed' end),
      hint = 'a failed or a cancelled run can be retried';
  end if;

  v_version := coalesce((select a.to_version from weir.adoption a where a.from_version = v_run.version_id),
                        v_run.version_id);
  if v_version <> v_run.version_id then
    perform weir.check_inputs(v.flow_id, v.input_schema, v.input_path, array[v_run.input])
    from weir.version v
    where v.id = v_version and v.input_schema is not null;
  end if;

  with task as (
    select j.step, j.task_index, max(j.attempt) as attempt,
           (array_agg(j.outcome order by j.attempt desc))[1] as outcome,
           bool_or(j.outcome = weir.outcome('completed')) as completed
    from weir.journal j
    where j.run_id = v_run.id
      and not exists (select from weir.journal k
                      where k.run_id = v_run.id and k.step = j.step and k.outcome = weir.outcome('skipped'))
    group by j.step, j.task_index)
  insert into weir.journal (run_id, step, task_index, attempt, outcome, started_at, ended_at, worker_id)
  select v_run.id, t.step, t.task_index, t.attempt + 1, weir.outcome('retried'), v_now, v_now, 0
  from task t
  where not t.completed and t.outcome = any (weir.failures())
  union all  -- flow steps whose child runs ended with this run, before it was notified of their ends
  select v_run.id, c.parent_step, 0, c.parent_attempt, weir.outcome('retried'), v_now, v_now, 0
  from weir.run c
  where c.parent_run = v_run.id
    and (c.status in (2, 3)
         or exists (select from weir.open_run o where o.run_id = any (array[c.id]) and o.cancel_reason is not null))
    and not exists (select from weir.journal k
                    where k.run_id = v_run.id and k.step = c.parent_step
                      and (k.attempt >= c.parent_attempt or k.outcome = weir.outcome('skipped')));
  get diagnostics v_tasks = row_count;

  update weir.run r
  set version_id = v_version, status = 0, output = null, error = null, note = null, failed_step = null, ended_at = null,
      parent_news = null
  where r.id = v_run.id;
  update weir.run c set parent_news = 1 where c.parent_run = v_run.id and c.status <> 0;
  update weir.sent_signal s set news = 1 where s.run_id = v_run.id and s.payload is not null;
  -- claims is not 0 where it was begun: the worker that claims it has a journal to read. Nor is news: it has signals to
  -- be notified of.
  insert into weir.open_run (run_id, version_id, priority, claims, news, started_at, limit_key)
  select v_run.id, v.id, v_run.priority, (v_run.started_at is not null)::integer, 1, v_run.started_at,
         weir.limit_key(l.key_path, v_run.input)
  from weir.version v
  left join weir.flow_limit l on l.flow_id = v.flow_id
  where v.id = v_version;
  perform weir.wake_workers();
  return v_tasks;
end $$;
comment on function weir.retry is 'opens a failed or cancelled run again; how many tasks are retried';

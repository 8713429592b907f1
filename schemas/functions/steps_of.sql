-- The steps of one run as they stand now, told from the definition, the journal and what workers state to have
-- in flight. For people and programs that read; what comes next is decided by RunState alone.
create or replace function weir.steps_of(p_run bigint)
returns table (
  "position" smallint, step text, kind text, status text, tasks integer, tasks_completed integer, attempts integer,
  output jsonb, error text, skip_reason text, started_at timestamptz, ended_at timestamptz)
language sql stable as $$
  with run as (select * from weir.run r where r.id = p_run),
  fact as (
    select j.step as "position", count(*) filter (where j.outcome = 1)::integer as completed, count(*)::integer as attempts,
           min(j.started_at) as started_at, max(j.ended_at) as ended_at,
           (array_agg(j.error order by j.ended_at desc, j.attempt desc) filter (where j.outcome in (2, 3, 4, 5)))[1] as error
    from weir.journal j where j.run_id = p_run group by j.step),
  flying as (
    select f.step as "position", count(*)::integer as tasks
    from weir.open_run o join weir.worker w on w.id = o.worker_id
    cross join lateral unnest(w.in_flight_run, w.in_flight_step) as f(run_id, step)
    where o.run_id = p_run and f.run_id = p_run group by f.step),
  counted as (
    select s.*, coalesce(f.completed, 0) as completed, coalesce(f.attempts, 0) as ended_attempts,
           coalesce(y.tasks, 0) as flying, f.started_at, f.ended_at, f.error,
           case when s.kind <> 'map' then 1
                when s.counted_by is null then
                  case when jsonb_typeof(run.input) = 'array' then jsonb_array_length(run.input) end
                else (select jsonb_array_length(j.output) from weir.journal j
                      where j.run_id = p_run and j.step = s.counted_by and j.outcome = 1) end as tasks
    from run join weir.step s on s.version_id = run.version_id
    left join fact f on f."position" = s."position"
    left join flying y on y."position" = s."position"),
  judged as (
    select c.*, c.tasks is not null and c.completed >= c.tasks as is_completed from counted c)
  select s."position", s.slug, s.kind,
         case when s.is_completed then 'completed'
              when run.status = 2 and s."position" = run.failed_step then 'failed'
              when run.status <> 0 then 'cancelled'
              when s.flying > 0 or s.completed > 0 then 'running'
              when exists (select from judged d where d."position" = any (s.depends_on) and not d.is_completed) then 'waiting'
              else 'ready' end,
         s.tasks, s.completed, s.ended_attempts + s.flying,
         case when s.kind = 'map' and s.is_completed then
                (select coalesce(jsonb_agg(coalesce(j.output, 'null') order by j.task_index), '[]') from weir.journal j
                 where j.run_id = p_run and j.step = s."position" and j.outcome = 1)
              when s.kind <> 'map' then
                (select j.output from weir.journal j where j.run_id = p_run and j.step = s."position" and j.output is not null
                 order by j.attempt desc limit 1) end,
         case when not s.is_completed then s.error end,
         null::text, s.started_at, case when s.is_completed or run.status <> 0 then s.ended_at end
  from judged s cross join run
  order by s."position"
$$;

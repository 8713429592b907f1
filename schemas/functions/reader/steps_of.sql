-- The steps of one run as they are now, from the definition, the journal and what workers report as in flight. For
-- people and programs that read; only RunState decides what happens next.
create or replace function weir.steps_of(p_run bigint)
returns table (
  "position" smallint, step text, kind text, status text, tasks integer, tasks_completed integer, attempts integer,
  output jsonb, error text, skip_reason text, started_at timestamptz, ended_at timestamptz, depends_on text[],
  signal text, until timestamptz, child_run_id uuid, retried integer)
language sql stable as $$
  with recursive run as (
    select * from weir.run r where r.id = p_run),
  fact as (
    select j.step as "position",
           count(*) filter (where j.outcome = weir.outcome('completed'))::integer as completed,
           count(*) filter (
             where j.outcome not in (weir.outcome('skipped'), weir.outcome('retried')))::integer as attempts,
           count(*) filter (where j.outcome = weir.outcome('retried'))::integer as retried,
           max(j.error_code) filter (where j.outcome = weir.outcome('skipped')) as skip_reason,
           min(j.started_at) filter (
             where j.outcome not in (weir.outcome('skipped'), weir.outcome('retried'))) as started_at,
           max(j.ended_at) as ended_at,
           (array_agg(j.error order by j.ended_at desc, j.attempt desc)
              filter (where j.outcome = any (weir.failures())))[1] as error
    from weir.journal j
    where j.run_id = p_run
    group by j.step),
  in_flight as (
    select f.step as "position", count(*)::integer as tasks
    from weir.open_run o
    join weir.worker w
      on w.id = o.worker_id or w.id in (select s.worker_id from weir.share s where s.run_id = p_run)
    cross join lateral unnest(w.in_flight_run, w.in_flight_step) as f(run_id, step)
    where o.run_id = p_run and f.run_id = p_run
    group by f.step),
  child as (
    select distinct on (c.parent_step) c.parent_step as "position", c.uuid, c.status
    from weir.run c
    where c.parent_run = p_run
    order by c.parent_step, c.parent_attempt desc),
  -- Maps over skipped steps, and maps over those maps: they have no tasks.
  bare as (
    select s."position"
    from run
    join weir.step s on s.version_id = run.version_id
    join fact f on f."position" = s.depends_on[1] and f.skip_reason is not null
    where s.kind = 'map'
    union
    select s."position"
    from bare b
    join run on true
    join weir.step s on s.version_id = run.version_id and s.kind = 'map' and s.depends_on[1] = b."position"),
  counted as (
    select s.*, coalesce(f.completed, 0) as completed, coalesce(f.attempts, 0) as ended_attempts,
           coalesce(f.retried, 0) as retried, coalesce(y.tasks, 0) as in_flight,
           f.started_at, f.ended_at, f.error, f.skip_reason,
           c.uuid as child_run_id, coalesce(c.status = 0, false) as child_open,
           case when s.kind <> 'map' then 1
                when s."position" in (select b."position" from bare b) then 0
                when s.counted_by is null then
                  case when jsonb_typeof(run.input) = 'array' then jsonb_array_length(run.input) end
                else (select jsonb_array_length(j.output)
                      from weir.journal j
                      where j.run_id = p_run and j.step = s.counted_by
                        and j.outcome = weir.outcome('completed')) end as tasks
    from run
    join weir.step s on s.version_id = run.version_id
    left join fact f on f."position" = s."position"
    left join in_flight y on y."position" = s."position"
    left join child c on c."position" = s."position"),
  judged as (
    select c.*, c.tasks is not null and c.completed >= c.tasks and c.skip_reason is null as is_completed
    from counted c),
  waiting as (
    select distinct s."position"
    from judged s
    cross join lateral unnest(s.depends_on) as x(dependency)
    join judged d on d."position" = x.dependency
    where not d.is_completed and d.skip_reason is null),
  placed as (
    select s.*, s."position" in (select w."position" from waiting w) as is_waiting
    from judged s)
  select s."position", s.slug, s.kind,
         case when s.skip_reason is not null then 'skipped'
              when s.is_completed then case when s.tasks = 0 and s.is_waiting then 'waiting' else 'completed' end
              when run.status = 2 and s."position" = run.failed_step then 'failed'
              when run.status <> 0 then 'cancelled'
              when s.in_flight > 0 or s.completed > 0 or s.child_open
                or (s.kind = 'wait' and not s.is_waiting) then 'running'
              when s.is_waiting then 'waiting'
              else 'ready' end,
         s.tasks, s.completed, s.ended_attempts + s.in_flight,
         case when s.kind = 'map' and s.is_completed then weir.output_of_map(p_run, s."position")
              when s.kind <> 'map' then
                (select j.output
                 from weir.journal j
                 where j.run_id = p_run and j.step = s."position" and j.output is not null
                 order by j.attempt desc
                 limit 1) end,
         case when not s.is_completed then s.error end,
         s.skip_reason, s.started_at,
         case when s.is_completed or s.skip_reason is not null or run.status <> 0 then s.ended_at end,
         array(select d.slug
               from weir.step d
               where d.version_id = s.version_id and d."position" = any (s.depends_on)
               order by d."position"),
         s.signal,
         case when s.kind = 'wait' and run.status = 0 and not s.is_waiting and not s.is_completed
                and s.skip_reason is null then
                coalesce((select max(d.ended_at) from judged d where d."position" = any (s.depends_on)),
                         run.available_at)
                + (s.start_delay_ms + s.timeout_ms) * interval '1 ms' end,
         s.child_run_id, s.retried
  from placed s
  cross join run
  order by s."position"
$$;
comment on function weir.steps_of is 'the steps of one run as they are now; weir.steps shows them';

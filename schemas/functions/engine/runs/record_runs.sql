-- The part of weir.exchange that writes: appends what a worker settled to the journal, closes runs that ended, releases
-- runs that can wait, acknowledges notifications, and publishes events. Ends, releases and acknowledgements of runs
-- that the worker does not hold are left out; so are acknowledgements of runs whose row is locked: their notifications
-- are sent again.
-- p_parents, p_children, p_shares: false where none of the runs that end has a parent, child runs, or shares of its
-- maps: then nothing is looked for.
-- Outputs come as text: each is read where it is written, in memory that is used again for the next one.
-- The output of a run that weir.record_large_end has written already is null here and kept.
-- Locks: of parents and of the runs that end together, in order of id, which is parents before children; then of what
-- follows from the ends. Errors: lock_not_available after the caller's lock_timeout, which a transaction of somebody
-- else causes that has locked a run, its parent, a child run or a share of it; whatever PostgreSQL says of a value that
-- it cannot store.
create or replace function weir.record_runs(
  p_worker bigint, p_now timestamptz,
  j_run bigint[], j_step smallint[], j_index integer[], j_attempt smallint[], j_outcome smallint[], j_output text[],
  j_error_code text[], j_error text[], j_retry_after_ms bigint[], j_started_at timestamptz[], j_ended_at timestamptz[],
  j_plugin integer[],
  e_run bigint[], e_status smallint[], e_output text[], e_error text[], e_failed_step smallint[], e_note text[],
  r_run bigint[], r_wake_at timestamptz[],
  h_run bigint[], h_count integer[],
  x_run bigint[], x_event text[],
  p_parents boolean default true, p_children boolean default true, p_shares boolean default true)
returns void
language plpgsql
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
as $$
#variable_conflict use_column
declare
  v_parents   bigint[];  -- of runs that end
  v_ended     bigint[];
  v_released  bigint[];
  v_cancelled bigint[];
  v_limited   boolean;   -- some of them had a place under a limit
begin
  -- First, as child runs that end with their parents are published below (E1).
  if cardinality(x_run) > 0 then perform weir.publish_events(x_run, x_event); end if;

  if cardinality(j_run) > 0 then
    insert into weir.journal
      (run_id, step, task_index, attempt, outcome, output, error_code, error, retry_after_ms,
       started_at, ended_at, worker_id, plugin_id)
    select j.run_id, j.step, j.task_index, j.attempt, j.outcome, j.output::jsonb, j.error_code, j.error,
           j.retry_after_ms,
           least(j.started_at, p_now), least(j.ended_at, p_now),  -- a worker's clock may be ahead of the database's
           p_worker, j.plugin_id
    from (select unnest(j_run) as run_id, unnest(j_step) as step, unnest(j_index) as task_index,
                 unnest(j_attempt) as attempt, unnest(j_outcome) as outcome, unnest(j_output) as output,
                 unnest(j_error_code) as error_code, unnest(j_error) as error,
                 unnest(j_retry_after_ms) as retry_after_ms, unnest(j_started_at) as started_at,
                 unnest(j_ended_at) as ended_at, unnest(j_plugin) as plugin_id) as j;
  end if;

  if cardinality(e_run) > 0 then
    if p_parents is not false then
      select array_agg(r.parent_run) into v_parents
      from weir.run r
      where r.id = any (e_run) and r.parent_run is not null;
    end if;
    if v_parents is not null then
      perform from weir.open_run o where o.run_id = any (v_parents || e_run) order by o.run_id for update;
    end if;
    with ended as (
      delete from weir.open_run o
      using (select unnest(e_run) as run_id, unnest(e_status) as status, unnest(e_output) as output,
                    unnest(e_error) as error, unnest(e_failed_step) as failed_step, unnest(e_note) as note) as e
      where o.run_id = any (array[e.run_id]) and coalesce(o.worker_id, 0) = p_worker
      returning e.*, o.started_at, o.limit_flow),
    closed as (
      update weir.run r
      set status = e.status, output = coalesce(e.output::jsonb, r.output), error = e.error, failed_step = e.failed_step,
          note = e.note, started_at = e.started_at, ended_at = clock_timestamp()  -- now that it is locked
      from ended e
      where r.id = any (array[e.run_id])
      returning r.id, e.limit_flow)
    select array_agg(c.id), bool_or(c.limit_flow is not null) into v_ended, v_limited from closed c;
    if v_ended is not null and (p_shares is not false or v_limited) then
      perform weir.runs_ended(v_ended, v_limited, p_shares);
    end if;
    if v_parents is not null then
      perform weir.notify_runs(v_parents);
      perform weir.number_child_ends(e_run);
    end if;
    -- A statement of its own: it sees a child run whose start the statement above had to wait for.
    if p_children is not false and exists (select from weir.run c where c.parent_run = any (e_run)) then
      perform weir.cancel_children(e_run);
    end if;
  end if;

  if cardinality(h_run) > 0 then
    with free as materialized (
      select o.run_id, h.count
      from unnest(h_run, h_count) as h(run_id, count)
      join weir.open_run o on o.run_id = any (array[h.run_id])
      where coalesce(o.worker_id, 0) = p_worker
      order by h.run_id
      for no key update of o skip locked)
    update weir.open_run o
    set news_heard = f.count
    from free f
    where o.run_id = any (array[f.run_id]) and o.news_heard < f.count;
  end if;

  -- The worker that claims a run next is sent all its notifications again: none counts as acknowledged.
  if cardinality(r_run) > 0 then
    with released as (
      update weir.open_run o
      set worker_id = null, claimed_in = null, news_heard = 0,
          wake_at = case when o.news <= o.news_heard and g.wake_at > p_now then g.wake_at end
      from unnest(r_run, r_wake_at) as g(run_id, wake_at)
      where o.run_id = any (array[g.run_id]) and coalesce(o.worker_id, 0) = p_worker
      returning o.run_id, o.cancel_reason, o.limit_flow)
    select array_agg(r.run_id), array_agg(r.run_id) filter (where r.cancel_reason is not null),
           bool_or(r.limit_flow is not null)
    into v_released, v_cancelled, v_limited
    from released r;
    if v_released is not null then perform weir.runs_released(v_released, v_limited); end if;
    if v_cancelled is not null then perform weir.cancel_released(v_cancelled); end if;
    perform weir.wake_workers();
  end if;
end $$;
comment on function weir.record_runs is
  'the part of weir.exchange that writes: the journal, ends, releases, acknowledgements, events';

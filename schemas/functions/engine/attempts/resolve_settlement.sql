-- The outcome of an attempt whose handler was given a settlement to execute (C9). It never waits for the handler's
-- transaction: it returns the row that the handler committed; or, when none can be committed any more, journals the row
-- given here and returns that. No row: the handler's transaction is still open, the worker asks again.
-- weir.settle holds the run's open row for key share until its transaction ends. So holding that row for update means
-- that no transaction is open which has settled, and that a later one finds the attempt in the journal.
-- Errors: WR001 the lease is lost, or the worker does not hold the run; WR003 an attempt that cannot be.
create or replace function weir.resolve_settlement(
  p_worker bigint, p_run bigint, p_step smallint, p_index integer, p_attempt smallint, p_outcome smallint,
  p_output jsonb, p_error_code text, p_error text, p_retry_after_ms bigint, p_started_at timestamptz,
  p_ended_at timestamptz, p_plugin integer)
returns setof weir.journal
language plpgsql
set jit = off set enable_seqscan = off
as $$
begin
  return query
  select j.*
  from weir.journal j
  where j.run_id = p_run and j.step = p_step and j.task_index = p_index and j.attempt = p_attempt;
  if found then return; end if;

  perform weir.check_lease(p_worker);
  begin
    perform from weir.open_run o where o.run_id = p_run and o.worker_id = p_worker for update nowait;
  exception when lock_not_available then
    return;
  end;
  if not found then
    raise exception 'worker % has lost run %', p_worker, p_run using errcode = 'WR001',
      hint = 'other workers have its runs now; it joins again as a new worker';
  end if;
  perform weir.check_attempt(p_step, p_index, p_attempt, p_outcome, p_started_at, p_ended_at);
  insert into weir.journal
    (run_id, step, task_index, attempt, outcome, output, error_code, error, retry_after_ms,
     started_at, ended_at, worker_id, plugin_id)
  values (p_run, p_step, p_index, p_attempt, p_outcome, p_output, p_error_code, p_error, p_retry_after_ms,
          least(p_started_at, clock_timestamp()), least(p_ended_at, clock_timestamp()), p_worker, p_plugin)
  on conflict do nothing;  -- committed since the journal was read above
  return query
  select j.*
  from weir.journal j
  where j.run_id = p_run and j.step = p_step and j.task_index = p_index and j.attempt = p_attempt;
end $$;
comment on function weir.resolve_settlement is
  'the outcome of an attempt whose handler was given a settlement to execute';

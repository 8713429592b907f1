-- Journals one completed attempt with a large output, in a transaction of its own: it may take seconds, in which the
-- worker's exchanges continue and nobody else can take the run, or the share. p_share: the share that it is of; 0: of
-- a run of the worker. It can be repeated, whatever became of the call before. busy: somebody else has locked the run:
-- call again. refusal: what PostgreSQL says of an output that it cannot store; nothing was written. Errors: WR001 the
-- lease is lost, or the run, or the share; WR003 an attempt that cannot be.
create or replace function weir.record_large_result(
  p_worker bigint, p_run bigint, p_step smallint, p_index integer, p_attempt smallint, p_output text,
  p_started_at timestamptz, p_ended_at timestamptz, p_plugin integer, p_share bigint,
  out busy boolean, out refusal text)
language plpgsql
set jit = off set enable_seqscan = off
as $$
declare
  v_state text;
begin
  busy := false;
  if exists (select from weir.journal j
             where j.run_id = p_run and j.step = p_step and j.task_index = p_index and j.attempt = p_attempt
               and j.worker_id = p_worker) then
    return;
  end if;
  perform weir.check_attempt(p_step, p_index, p_attempt, weir.outcome('completed'), p_started_at, p_ended_at);
  busy := not weir.own_attempt(p_worker, p_run, p_share, p_step, p_index, p_attempt);
  if busy then return; end if;
  insert into weir.journal
    (run_id, step, task_index, attempt, outcome, output, started_at, ended_at, worker_id, plugin_id)
  values (p_run, p_step, p_index, p_attempt, weir.outcome('completed'), coalesce(p_output, 'null')::jsonb,
          least(p_started_at, clock_timestamp()), least(p_ended_at, clock_timestamp()), p_worker, p_plugin)
  on conflict do nothing;
  if found and p_share <> 0 then perform weir.notify_share_owner(p_run, p_step, p_attempt, array[p_index]); end if;
exception when others then
  get stacked diagnostics v_state = returned_sqlstate, refusal = message_text;
  if not weir.is_fault_of_value(v_state, refusal, octet_length(p_output)) then raise; end if;
end $$;
comment on function weir.record_large_result is
  'journals a completed attempt with a large output, while exchanges continue';

-- Starts the child run of an attempt of a flow step (C8): of the version that starts take (V5), with the priority and
-- the tags of its parent; once, however often it is called. Nothing is started when the parent was cancelled: its
-- worker is notified of that.
-- Errors: WR001 the worker's lease has lapsed, or it does not hold the run; WR002 no such flow; WR003 an input that the
-- flow cannot take.
create or replace function weir.start_child(
  worker bigint, run bigint, step smallint, attempt smallint, flow text, input jsonb)
returns void
language plpgsql
set jit = off set enable_seqscan = off
as $$
declare
  v_parent weir.run%rowtype;
  v_reason text;
begin
  -- Locked to the end: the run can neither be taken from its worker, nor be cancelled without its new child run.
  select o.cancel_reason into v_reason
  from weir.open_run o
  where o.run_id = run and o.worker_id = worker
  for no key update;
  if not found or not weir.is_alive(worker) then
    raise exception 'worker % has lost its lease, or run %', worker, run using errcode = 'WR001',
      hint = 'other workers have its runs now; it joins again as a new worker';
  end if;
  if v_reason is not null or exists (
    select from weir.run r where r.parent_run = run and r.parent_step = step and r.parent_attempt = attempt) then
    return;
  end if;
  select * into v_parent from weir.run r where r.id = run;
  perform weir.make_runs(weir.version_to_start(flow), array[input], null, null, clock_timestamp(),
                         v_parent.priority, v_parent.tags, run, step, attempt);
  perform weir.wake_workers();
end $$;
comment on function weir.start_child is 'starts the child run of an attempt of a flow step, once';

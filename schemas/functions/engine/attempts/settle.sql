-- Completes an attempt in a transaction of its handler's own, together with whatever else that transaction does (C9):
-- the step is completed exactly if it commits. The worker gives the handler the arguments; settle_until is when the
-- attempt times out. The proof is the open row of the run (or of the share), not that of the worker: it is locked until
-- the transaction ends, so that it cannot go to another worker, while exchanges continue. What takes a run or a share
-- from its worker locks its row for update. `share`: the share that the attempt is of, 0: none; null, as workers of the
-- version before have it: whatever the worker holds. So a handler of a share that is lost settles nothing of the run,
-- which the same worker may own by then. Of a worker that has a share of its own run both rows are locked.
-- Errors, after each of which the transaction cannot commit: WR001 the attempt is no longer the worker's to settle;
-- WR003 an output that a map cannot run over, or an attempt that cannot be.
create or replace function weir.settle(
  worker bigint, run bigint, step smallint, task_index integer, attempt smallint, output jsonb, plugin integer,
  started_at timestamptz, settle_until timestamptz, share bigint default null)
returns void
language plpgsql
set jit = off set enable_seqscan = off
as $$
declare
  v_version integer;
  v_shared  integer;  -- the version, if the attempt is of a share that the worker holds (L7): the owner is notified
  v_bad     text;
begin
  select o.version_id into v_version
  from weir.open_run o
  where o.run_id = run and o.worker_id = worker
  for key share;
  select s.version_id into v_shared
  from weir.share s
  where s.run_id = run and s.step = settle.step and s.attempt = settle.attempt and s.worker_id = worker
    and task_index between s.first_index and s.last_index and s.id = coalesce(settle.share, s.id)
  for key share;
  v_version := case when share = 0 then v_version when share > 0 then v_shared else coalesce(v_version, v_shared) end;
  if v_version is null
     or not weir.is_alive(worker) then
    raise exception 'worker % has lost its lease, or run %', worker, run using errcode = 'WR001',
      hint = 'another worker has the attempt: stop this one';
  end if;
  if clock_timestamp() >= settle_until then
    raise exception 'attempt % of run % has timed out', attempt, run using errcode = 'WR001',
      hint = 'settle before the timeout of the step, or raise it';
  end if;
  select format('step "%s" maps over the output of "%s", which is %s, not an array', m.slug, s.slug,
                weir.kind_of_value(output))
  into v_bad
  from weir.step m
  join weir.step s on s.version_id = m.version_id and s.position = m.counted_by
  where m.version_id = v_version and m.counted_by = step and jsonb_typeof(coalesce(output, 'null')) <> 'array'
  limit 1;
  if found then
    raise exception '%', v_bad using errcode = 'WR003', hint = 'give one element for each task';
  end if;
  perform weir.check_attempt(step, task_index, attempt, weir.outcome('completed'), started_at, clock_timestamp());
  insert into weir.journal
    (run_id, step, task_index, attempt, outcome, output, started_at, ended_at, worker_id, plugin_id)
  values (run, step, task_index, attempt, weir.outcome('completed'), coalesce(output, 'null'), started_at,
          clock_timestamp(), worker, plugin)
  on conflict do nothing;
  if not found then
    raise exception 'attempt % of run % was settled before', attempt, run using errcode = 'WR001',
      hint = 'it has ended: its row is in weir.attempts';
  end if;
  if v_shared is not null then perform weir.notify_share_owner(run, step, attempt, array[task_index]); end if;
end $$;
comment on function weir.settle is 'completes an attempt in its handler''s own transaction';

-- Journals the results of elements of a share: of any number of them, the others follow later. `results` is an array of
-- objects, one for each element:
--   index           which element
--   outcome         completed (the default), failed, failed_for_good, timed_out
--   output          of a completed one: any JSON value
--   error_code, error, retry_after_ms
--                   of another one: a stable word, a sentence, the time that it asks to wait
--   started_at, ended_at
--                   default: when the share was taken, and now; a time in the future counts as now
-- Returns how many elements are left; with 0 the share is over. Repeating the call does no harm (L6).
-- Errors: WR001 lease lost, or the worker does not hold the share (any more): nothing was written (L2); WR003 a result
-- that is not possible.
create or replace function weir.settle_share(worker bigint, share bigint, results jsonb, plugin integer default null)
returns integer
language plpgsql
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
set lock_timeout = '10ms'  -- a handler's own transaction may be settling one of these (C9): then repeat the call
as $$
#variable_conflict use_column
declare
  v_share   weir.share%rowtype;
  v_fault   text;
  v_settled integer[];
  v_open    integer;
begin
  perform weir.check_lease(worker);
  select s.* into v_share
  from weir.share s
  where s.id = settle_share.share and s.worker_id = worker
  for no key update;
  if not found then
    raise exception 'share % is not held by worker %', share, worker using errcode = 'WR001',
      hint = 'its run ended, or another worker has what is left of it: stop running it';
  end if;

  begin
    select case
      when jsonb_typeof(r) <> 'object' then 'every result is an object'
      when not coalesce((r ->> 'index')::integer between v_share.first_index and v_share.last_index, false) then
        format('index %s is not in the share, which goes from %s to %s',
               coalesce(r ->> 'index', 'null'), v_share.first_index, v_share.last_index)
      when coalesce(r ->> 'outcome', 'completed')
           not in ('completed', 'failed', 'failed_for_good', 'timed_out') then
        format('element %s: no attempt ends as "%s"', r ->> 'index', r ->> 'outcome')
      when coalesce(r ->> 'outcome', 'completed') = 'completed' and not r ? 'output' then
        format('element %s: a completed attempt has an output', r ->> 'index')
      when (r ->> 'retry_after_ms')::bigint not between 0 and 31536000000 then
        format('element %s: retry_after_ms is not between 0 and 31536000000', r ->> 'index')
      when weir.check_time('started_at', (r ->> 'started_at')::timestamptz)
           > weir.check_time('ended_at', (r ->> 'ended_at')::timestamptz) then
        format('element %s: it ended before it started', r ->> 'index')
      end into v_fault
    from jsonb_array_elements(results) as r
    order by 1 nulls last
    limit 1;
  exception when data_exception then
    get stacked diagnostics v_fault = message_text;
  end;
  if v_fault is not null then
    raise exception using errcode = 'WR003', message = v_fault, hint = 'see the comment of weir.settle_share';
  end if;

  with settled as (
    insert into weir.journal
      (run_id, step, task_index, attempt, outcome, output, error_code, error, retry_after_ms,
       started_at, ended_at, worker_id, plugin_id)
    select v_share.run_id, v_share.step, (r ->> 'index')::integer, v_share.attempt,
           case coalesce(r ->> 'outcome', 'completed')
             when 'completed' then weir.outcome('completed')
             when 'failed' then weir.outcome('failed')
             when 'failed_for_good' then weir.outcome('failed_for_good')
             when 'timed_out' then weir.outcome('timed_out')
           end,
           r -> 'output', r ->> 'error_code', r ->> 'error', (r ->> 'retry_after_ms')::bigint,
           least(coalesce((r ->> 'started_at')::timestamptz, v_share.taken_at), clock_timestamp()),
           -- A retry counts from here: nobody postpones it by a time in the future.
           least(coalesce((r ->> 'ended_at')::timestamptz, clock_timestamp()), clock_timestamp()), worker, plugin
    from jsonb_array_elements(results) as r
    on conflict do nothing
    returning task_index)
  select array_agg(t.task_index order by t.task_index) into v_settled from settled t;

  v_open := v_share.open - coalesce(cardinality(v_settled), 0);
  if coalesce(cardinality(v_settled), 0) < jsonb_array_length(results) then  -- some were in the journal already
    select v_share.last_index - v_share.first_index + 1 - count(distinct j.task_index) into v_open
    from weir.journal j
    where j.run_id = v_share.run_id and j.step = v_share.step and j.attempt >= v_share.attempt
      and j.task_index between v_share.first_index and v_share.last_index;
  end if;
  if v_open = 0 then
    delete from weir.share s where s.id = v_share.id;
  elsif v_open <> v_share.open then
    update weir.share s set open = v_open where s.id = v_share.id;
  end if;
  if v_settled is not null then
    perform weir.notify_share_owner(v_share.run_id, v_share.step, v_share.attempt, v_settled);
  end if;
  return v_open;
end $$;
comment on function weir.settle_share is 'journals the results of elements of a share that the worker holds';

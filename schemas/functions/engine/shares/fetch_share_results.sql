-- The results of shared elements of a worker's runs that the worker has not acknowledged: rows of the journal, each
-- with the number of its notification. They are returned again until that number is among `acknowledged`.
-- Errors: WR001 lease lost.
create or replace function weir.fetch_share_results(worker bigint, runs bigint[], acknowledged bigint[])
returns table (
  news bigint, run_id bigint, step smallint, task_index integer, attempt smallint, outcome smallint, output jsonb,
  error_code text, error text, retry_after_ms bigint, started_at timestamptz, ended_at timestamptz)
language plpgsql
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
as $$
#variable_conflict use_column
begin
  perform weir.check_lease(worker);
  if cardinality(acknowledged) = 0 then
    perform set_config('synchronous_commit', 'off', true);
  end if;
  delete from weir.share_news n
  using weir.open_run o
  where n.id = any (acknowledged) and o.run_id = any (array[n.run_id]) and o.worker_id = fetch_share_results.worker;
  return query
  with notified as materialized (
    select n.id, n.run_id, n.step, i.task_index, n.attempt
    from weir.share_news n
    join weir.open_run o on o.run_id = any (array[n.run_id]) and o.worker_id = fetch_share_results.worker
    cross join lateral unnest(n.indexes) as i(task_index)
    where n.run_id = any (runs))
  select t.id, j.run_id, j.step, j.task_index, j.attempt, j.outcome, j.output, j.error_code, j.error,
         j.retry_after_ms, j.started_at, j.ended_at
  from notified t
  cross join lateral (  -- offset 0 keeps the planner from reading the whole run for each of them
    select *
    from weir.journal g
    where g.run_id = t.run_id and g.step = t.step and g.task_index = t.task_index and g.attempt = t.attempt
    offset 0) as j
  order by t.id, j.task_index;
end $$;
comment on function weir.fetch_share_results is 'the results of shared elements of a worker''s runs';

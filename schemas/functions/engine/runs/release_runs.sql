-- Releases what a worker holds, when it ends: these of its runs, and its shares. They are claimable at once, and the
-- worker that claims a run is sent all its notifications again. Runs with a cancel that the worker has not acted on
-- end now. Returns whether the worker holds no run any more.
create or replace function weir.release_runs(p_worker bigint, p_held bigint[]) returns boolean
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
declare
  v_freed     bigint;
  v_cancelled bigint[];
begin
  with freed as (
    update weir.open_run o
    set worker_id = null, claimed_in = null, news_heard = 0
    from unnest(p_held) as h(run_id)
    where o.run_id = any (array[h.run_id])
    returning o.run_id, o.cancel_reason)
  select count(*), array_agg(f.run_id) filter (where f.cancel_reason is not null)
  into v_freed, v_cancelled
  from freed f;
  perform weir.release_shares(p_worker);
  if v_cancelled is not null then perform weir.cancel_released(v_cancelled); end if;
  if v_freed > 0 then perform weir.wake_workers(); end if;
  return not exists (select from weir.open_run o where o.worker_id = p_worker);
end $$;
comment on function weir.release_runs is 'releases what a worker holds, when it ends';

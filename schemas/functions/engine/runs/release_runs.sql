-- Releases what a worker holds, when it ends: these of its runs, and these of its shares, which the caller has locked.
-- They are claimable at once, and the worker that claims a run is sent all its notifications again. Runs with a cancel
-- that the worker has not acted on end now, except where a transaction of somebody else has locked their parent or a
-- child run: these stay. Returns whether the worker holds nothing any more.
create or replace function weir.release_runs(p_worker bigint, p_held bigint[], p_shares bigint[]) returns boolean
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
set lock_timeout = '10ms'
as $$
declare
  v_run     bigint;
  v_freed   bigint[];
  v_limited boolean;  -- some of them had a place under a limit
begin
  with freed as (
    update weir.open_run o
    set worker_id = null, claimed_in = null, news_heard = 0
    from unnest(p_held) as h(run_id)
    where o.run_id = any (array[h.run_id]) and o.cancel_reason is null
    returning o.run_id, o.limit_flow)
  select array_agg(f.run_id), bool_or(f.limit_flow is not null) into v_freed, v_limited from freed f;
  if v_freed is not null then perform weir.runs_released(v_freed, v_limited); end if;
  for v_run in
    select o.run_id from weir.open_run o where o.run_id = any (p_held) and o.cancel_reason is not null order by o.run_id
  loop
    begin
      update weir.open_run o
      set worker_id = null, claimed_in = null, news_heard = 0
      where o.run_id = v_run and o.worker_id = p_worker
      returning o.limit_flow is not null into v_limited;
      if found then perform weir.runs_released(array[v_run], v_limited); end if;
      perform weir.cancel_released(array[v_run]);
    exception when lock_not_available then null;
    end;
  end loop;
  if cardinality(p_shares) > 0 then perform weir.release_shares(p_worker, p_shares); end if;
  if v_freed is not null then perform weir.wake_workers(); end if;
  return not exists (select from weir.open_run o where o.worker_id = p_worker)
     and not exists (select from weir.share s where s.worker_id = p_worker);
end $$;
comment on function weir.release_runs is 'releases what a worker holds, when it ends';

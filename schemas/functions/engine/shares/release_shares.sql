-- Releases shares that a worker holds, when it ends, and that the caller has locked: other workers can take what was
-- not settled of them at once. The owners are notified of that, and of the attempts that the worker journaled or that
-- were journaled for it.
create or replace function weir.release_shares(p_worker bigint, p_shares bigint[]) returns void
language plpgsql
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
set lock_timeout = '2s'  -- somebody may be making a partition of the journal; its callers wait for no row
as $$
declare
  v_owners bigint[];
begin
  insert into weir.share_news (run_id, step, attempt, indexes)
  select s.run_id, s.step, s.attempt, array_agg(j.task_index)
  from weir.share s
  join weir.journal j
    on j.run_id = s.run_id and j.step = s.step and j.attempt = s.attempt
       and j.task_index between s.first_index and s.last_index and j.worker_id = p_worker
  where s.id = any (p_shares)
  group by s.id;
  with freed as (
    update weir.share s set worker_id = null, taken_at = null where s.id = any (p_shares) returning s.run_id)
  select array_agg(distinct o.worker_id) into v_owners
  from freed f
  join weir.open_run o on o.run_id = any (array[f.run_id])
  where o.worker_id is not null;
  perform pg_notify('weir_told', w::text) from unnest(v_owners) as w;
  perform weir.wake_workers();
end $$;
comment on function weir.release_shares is 'releases shares that a worker holds, when it ends';

-- The workers that would take shares of a run if there were any: the slots of each live worker, except the owner, that
-- can run its version and has slots free, or runs shares of it now (at most 32 workers), and how many deferred calls
-- each may have; and how many shares of the run are available.
create or replace function weir.helpers_for(
  worker bigint, run bigint, out slots integer[], out async_calls integer[], out available integer)
language plpgsql stable
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
as $$
begin
  select coalesce(array_agg(h.slots), '{}'), coalesce(array_agg(h.async_calls), '{}') into slots, async_calls
  from (
    select w.slots, coalesce(w.async_calls, 0) as async_calls
    from weir.worker w
    where w.ended_at is null and w.lease_until > now() and w.id <> helpers_for.worker
      and ((w.idle and exists (
              select from weir.open_run o
              join weir.serving s on s.version_id = any (array[o.version_id])
              where o.run_id = helpers_for.run and s.worker_id = w.id and not s.barred))
           or exists (select from weir.share s where s.worker_id = w.id and s.run_id = helpers_for.run))
    order by w.id
    limit 32) as h;
  select count(*) into available
  from weir.share s
  where s.run_id = helpers_for.run and s.worker_id is null;
end $$;
comment on function weir.helpers_for is
  'slots and room for deferred calls of each worker that would take shares of a run, and how many are available';

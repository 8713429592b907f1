-- Takes back the shares of a worker's runs that no worker has taken, and returns those that others hold: all other
-- elements of these runs are the owner's to run, unless the journal has them. One statement does it, so that each share
-- goes either to its owner or to a worker that takes it at this moment. Repeating the call does no harm (L6).
-- Errors: WR001 lease lost.
create or replace function weir.take_back_shares(worker bigint, runs bigint[])
returns table (share bigint, run bigint, step smallint, attempt smallint, first_index integer, last_index integer)
language plpgsql
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
as $$
#variable_conflict use_column
begin
  perform weir.check_lease(worker);
  delete from weir.share s
  where s.id in (
    select t.id
    from weir.share t
    join weir.open_run o on o.run_id = any (array[t.run_id])
    where t.run_id = any (runs) and t.worker_id is null and o.worker_id = take_back_shares.worker
    order by t.id
    for update of t skip locked);
  return query
  select s.id, s.run_id, s.step, s.attempt, s.first_index, s.last_index
  from weir.share s
  join weir.open_run o on o.run_id = any (array[s.run_id])
  where s.run_id = any (runs) and o.worker_id = take_back_shares.worker
  order by s.id;
end $$;
comment on function weir.take_back_shares is 'takes back the shares of a worker''s runs that no worker has taken';

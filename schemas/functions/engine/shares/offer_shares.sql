-- Offers ranges of map elements of a run to other workers: one share for each array in `inputs`, which has the inputs
-- of the elements from its place in `first_indexes` on; `attempt` is the attempt to make of each element. The owner
-- runs none of them itself until it has taken them back. Repeating the call does no harm, also when some of a range
-- was settled or returned meanwhile: nobody has an element twice (L6). Returns how many shares were made.
-- Errors: WR001 lease lost, or the worker does not hold the run; WR003 ranges that cannot be.
create or replace function weir.offer_shares(
  worker bigint, run bigint, step smallint, attempt smallint, first_indexes integer[], inputs jsonb[]) returns integer
language plpgsql
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
as $$
declare
  v_run   weir.open_run%rowtype;
  v_count integer;
begin
  perform set_config('synchronous_commit', 'off', true);  -- a share lost in a crash is held by no worker
  perform weir.check_lease(worker);
  select o.* into v_run
  from weir.open_run o
  where o.run_id = offer_shares.run and o.worker_id = worker;
  if not found then
    raise exception 'run % is not held by worker %', run, worker using errcode = 'WR001',
      hint = 'only the worker that holds a run shares it';
  end if;
  if step is null or step < 0 or attempt is null or attempt < 1
     or cardinality(first_indexes) is distinct from cardinality(offer_shares.inputs)
     or exists (select from unnest(first_indexes, offer_shares.inputs) as r(first_index, inputs)
                where r.first_index is null or r.first_index < 0
                   or case when jsonb_typeof(r.inputs) = 'array'
                           then jsonb_array_length(r.inputs) not between 1 and 2147483647 - r.first_index
                           else true end) then
    raise exception 'step %, attempt %: % ranges with % lists of inputs', coalesce(step::text, 'null'),
      coalesce(attempt::text, 'null'), coalesce(cardinality(first_indexes)::text, 'null'),
      coalesce(cardinality(offer_shares.inputs)::text, 'null')
      using errcode = 'WR003', hint = 'an array of inputs for the elements from each first index on';
  end if;
  insert into weir.share (run_id, version_id, priority, step, attempt, first_index, last_index, open, inputs)
  select v_run.run_id, v_run.version_id, v_run.priority, offer_shares.step, offer_shares.attempt,
         r.first_index, r.first_index + jsonb_array_length(r.inputs) - 1, jsonb_array_length(r.inputs), r.inputs
  from unnest(first_indexes, offer_shares.inputs) as r(first_index, inputs)
  where not exists (
    select from weir.share s
    where s.run_id = v_run.run_id and s.step = offer_shares.step and s.attempt = offer_shares.attempt
      and s.first_index < r.first_index + jsonb_array_length(r.inputs) and s.last_index >= r.first_index)
  order by r.first_index
  on conflict do nothing;
  get diagnostics v_count = row_count;
  if v_count > 0 then perform weir.wake_workers(); end if;
  return v_count;
end $$;
comment on function weir.offer_shares is 'offers ranges of map elements of a run to other workers';

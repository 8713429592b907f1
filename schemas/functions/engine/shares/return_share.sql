-- Returns what is not settled of a share, or of its elements from `from_index` on: other workers can take it at once,
-- and nothing is charged, begun or not (L5). Returning a share that the worker does not hold does no harm: then, and
-- when nothing is left to return, the result is false.
-- Errors: WR001 lease lost; lock_not_available while a handler settles an element of it in an open transaction (C9):
-- then repeat the call.
create or replace function weir.return_share(worker bigint, share bigint, from_index integer default 0) returns boolean
language plpgsql
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
as $$
#variable_conflict use_column
declare
  v_share weir.share%rowtype;
  v_split integer;
  v_open  integer;
  v_owner bigint;
begin
  perform weir.check_lease(worker);
  select s.* into v_share
  from weir.share s
  where s.id = return_share.share and s.worker_id = worker
  for update nowait;
  if not found or from_index > v_share.last_index then return false; end if;
  v_split := greatest(from_index, v_share.first_index);

  if v_split = v_share.first_index then
    -- Under another id: this call, if it is committed late, takes it from nobody who has taken it since.
    update weir.share s set id = default, worker_id = null, taken_at = null where s.id = v_share.id;
  else
    insert into weir.share (run_id, version_id, priority, step, attempt, first_index, last_index, open, inputs)
    values (v_share.run_id, v_share.version_id, v_share.priority, v_share.step, v_share.attempt,
            v_split, v_share.last_index, v_share.last_index - v_split + 1,
            jsonb_path_query_array(v_share.inputs, '$[$i to last]',
                                   jsonb_build_object('i', v_split - v_share.first_index)))
    on conflict do nothing;  -- its owner had offered these twice
    select v_split - v_share.first_index - count(distinct j.task_index) into v_open
    from weir.journal j
    where j.run_id = v_share.run_id and j.step = v_share.step and j.attempt >= v_share.attempt
      and j.task_index between v_share.first_index and v_split - 1;
    if v_open = 0 then
      delete from weir.share s where s.id = v_share.id;
    else
      update weir.share s
      set last_index = v_split - 1, open = v_open,
          inputs = jsonb_path_query_array(v_share.inputs, '$[0 to $i]',
                                          jsonb_build_object('i', v_split - v_share.first_index - 1))
      where s.id = v_share.id;
    end if;
  end if;

  select o.worker_id into v_owner from weir.open_run o where o.run_id = v_share.run_id;
  if v_owner is not null then perform pg_notify('weir_told', v_owner::text); end if;
  perform weir.wake_workers();
  return true;
end $$;
comment on function weir.return_share is 'returns what is not settled of a share, or the end of it';

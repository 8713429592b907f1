-- Cuts elements out of the shares that a worker holds: each is a share of its own then. Elements that are in no share
-- of the worker, for this attempt, are left out. Returns the shares of the elements. The caller has locked all of them.
create or replace function weir.cut_shares(
  p_worker bigint, p_run bigint[], p_step smallint[], p_index integer[], p_attempt smallint[]) returns bigint[]
language plpgsql
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
as $$
declare
  v_id    bigint;
  v_index integer;
  v_share weir.share%rowtype;
  v_cut   bigint[] := '{}';
begin
  for v_id, v_index in
    select s.id, e.task_index
    from unnest(p_run, p_step, p_index, p_attempt) as e(run_id, step, task_index, attempt)
    join weir.share s
      on s.worker_id = p_worker and s.run_id = any (array[e.run_id]) and s.step = e.step and s.attempt = e.attempt
         and e.task_index between s.first_index and s.last_index
    order by s.id, e.task_index desc  -- from the end: what is before it stays in the row
  loop
    select s.* into v_share from weir.share s where s.id = v_id;
    if v_index < v_share.last_index then
      insert into weir.share (run_id, version_id, priority, step, attempt, first_index, last_index, open, inputs,
                              worker_id, taken_at)
      values (v_share.run_id, v_share.version_id, v_share.priority, v_share.step, v_share.attempt,
              v_index + 1, v_share.last_index, v_share.last_index - v_index,
              jsonb_path_query_array(v_share.inputs, '$[$i to last]',
                                     jsonb_build_object('i', v_index + 1 - v_share.first_index)),
              p_worker, v_share.taken_at);
    end if;
    if v_index > v_share.first_index then
      update weir.share s
      set last_index = v_index - 1, open = v_index - v_share.first_index,
          inputs = jsonb_path_query_array(v_share.inputs, '$[0 to $i]',
                                          jsonb_build_object('i', v_index - 1 - v_share.first_index))
      where s.id = v_id;
      insert into weir.share (run_id, version_id, priority, step, attempt, first_index, last_index, open, inputs,
                              worker_id, taken_at)
      values (v_share.run_id, v_share.version_id, v_share.priority, v_share.step, v_share.attempt,
              v_index, v_index, 1, jsonb_build_array(v_share.inputs -> (v_index - v_share.first_index)),
              p_worker, v_share.taken_at)
      returning id into v_id;
    else
      update weir.share s
      set last_index = v_index, open = 1, inputs = jsonb_build_array(v_share.inputs -> 0)
      where s.id = v_id;
    end if;
    v_cut := v_cut || v_id;
  end loop;
  return v_cut;
end $$;
comment on function weir.cut_shares is 'cuts elements out of the shares that a worker holds';

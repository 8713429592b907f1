-- Deletes finished runs with all that is kept of them. The journal of runs before p_whole_until stays, to be dropped
-- with its partition. Returns how many rows of the journal were deleted. For weir.prune_batch, which has locked the
-- runs.
create or replace function weir.delete_runs(p_runs bigint[], p_whole_until bigint) returns bigint
language plpgsql
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
as $$
declare
  v_run  bigint;
  v_one  bigint;
  v_rows bigint := 0;
begin
  foreach v_run in array p_runs loop  -- one by one: each statement needs only the one partition of its run
    continue when v_run < p_whole_until;
    delete from weir.journal j where j.run_id = v_run;
    get diagnostics v_one = row_count;
    v_rows := v_rows + v_one;
  end loop;
  delete from weir.sent_signal s where s.run_id = any (p_runs);
  delete from weir.share_news n where n.run_id = any (p_runs);
  with gone as (
    delete from weir.run r where r.id = any (p_runs) returning r.id, r.version_id, r.idempotency_key)
  delete from weir.idempotency i
  using gone g
  join weir.version v on v.id = any (array[g.version_id])
  where g.idempotency_key is not null and i.flow_id = v.flow_id and i.key = g.idempotency_key and i.run_id = g.id;
  return v_rows;
end $$;
comment on function weir.delete_runs is 'deletes finished runs with all that is kept of them';

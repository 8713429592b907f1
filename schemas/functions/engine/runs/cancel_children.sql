-- Ends the open child runs of runs that just ended as cancelled (C8), also those that were retried after their parent
-- had skipped them; see weir.cancel_runs.
create or replace function weir.cancel_children(p_parents bigint[]) returns void
language plpgsql
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
as $$
declare
  v_children bigint[];
  v_status   smallint;
begin
  for v_status, v_children in
    select p.status, array_agg(o.run_id)
    from weir.run p
    join weir.run r on r.parent_run = any (array[p.id])
    join weir.open_run o on o.run_id = any (array[r.id])
    where p.id = any (p_parents)
    group by p.status
  loop
    perform weir.cancel_runs(v_children,
                             case v_status when 1 then 'its parent run completed without it'
                                           when 2 then 'its parent run failed'
                                           else 'its parent run was cancelled' end);
  end loop;
end $$;
comment on function weir.cancel_children is 'ends the open child runs of runs that just ended';

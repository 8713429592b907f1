-- Deletes all finished runs that ended longer ago than `older_than`, of one flow or of all, in batches. Each batch is a
-- transaction of its own: call weir.prune_all('30 days'). See weir.prune.
create or replace procedure weir.prune_all(older_than interval, flow text default null, batch integer default 1000)
language plpgsql as $$
declare
  v_done  record;
  v_after bigint := 0;
  v_whole bigint := 0;
  v_runs  bigint := 0;
begin
  loop
    select * into v_done from weir.prune(older_than, flow, batch, v_after, v_whole);
    commit;
    v_runs := v_runs + v_done.runs;
    v_after := v_done.next_after;
    v_whole := v_done.next_whole_until;
    exit when v_done.finished;
  end loop;
  raise notice '% runs deleted', v_runs;
end $$;
comment on procedure weir.prune_all is
  'deletes all finished runs that ended longer ago than an age, in small transactions';

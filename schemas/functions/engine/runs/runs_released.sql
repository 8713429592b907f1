-- What follows in the same transaction from runs having lost their worker, whose open rows their caller has updated: a
-- run continues with the version that adopted its own (V3), and where p_limited one of them had a place under a limit,
-- which is free now. A statement of its own: it sees an adoption for whose end the caller had to wait.
create or replace function weir.runs_released(p_runs bigint[], p_limited boolean) returns void
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
begin
  if exists (select from weir.adoption) then
    with moved as (
      update weir.open_run o
      set version_id = a.to_version
      from unnest(p_runs) as r(run_id)
      join weir.open_run h on h.run_id = any (array[r.run_id])
      join weir.adoption a on a.from_version = any (array[h.version_id])
      where o.run_id = any (array[h.run_id])
      returning o.run_id, o.version_id)
    update weir.run r
    set version_id = m.version_id
    from moved m
    where r.id = any (array[m.run_id]);
  end if;
  if p_limited then perform weir.places_freed(); end if;
end $$;
comment on function weir.runs_released is
  'what follows from runs having lost their worker: adoptions hold, places are free';

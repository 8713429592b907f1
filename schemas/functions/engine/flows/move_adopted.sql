-- Moves the open runs of one version that no worker holds to another version. Returns how many were moved.
create or replace function weir.move_adopted(p_from integer, p_to integer) returns bigint
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
declare
  v_moved bigint;
begin
  with unowned as (
    select o.run_id
    from weir.open_run o
    where o.version_id = p_from and o.worker_id is null
    order by o.run_id
    for update skip locked),
  moved as (
    update weir.open_run o
    set version_id = p_to
    from unowned u
    where o.run_id = any (array[u.run_id])
    returning o.run_id)
  update weir.run r set version_id = p_to from moved m where r.id = any (array[m.run_id]);
  get diagnostics v_moved = row_count;
  return v_moved;
end $$;
comment on function weir.move_adopted is 'moves the open runs of one version that no worker holds to another version';

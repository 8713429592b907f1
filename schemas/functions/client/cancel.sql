-- Ends a run as cancelled (C1): at once when no worker holds it, else as soon as its worker is notified, which stops
-- the attempts that are running. The child runs end with it (C8). Returns false when the run was over.
-- Errors: WR002 no such run.
create or replace function weir.cancel(run_id uuid, reason text default 'cancelled by command') returns boolean
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
declare
  v_run weir.run%rowtype := weir.run_by_uuid(run_id);
begin
  perform from weir.open_run o where o.run_id = v_run.id for no key update;
  if not found then return false; end if;
  perform weir.cancel_runs(array[v_run.id], coalesce(reason, 'cancelled by command'));
  return true;
end $$;
comment on function weir.cancel is 'ends a run as cancelled, and its child runs; false: it was over';

-- Notifies the owner of a run of attempts of shared elements that were journaled in the same transaction.
create or replace function weir.notify_share_owner(
  p_run bigint, p_step smallint, p_attempt smallint, p_indexes integer[])
returns void
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
declare
  v_owner bigint;
begin
  insert into weir.share_news (run_id, step, attempt, indexes) values (p_run, p_step, p_attempt, p_indexes);
  select o.worker_id into v_owner from weir.open_run o where o.run_id = p_run;
  if v_owner is not null then perform pg_notify('weir_told', v_owner::text); end if;
end $$;
comment on function weir.notify_share_owner is
  'notifies the owner of a run of attempts of shared elements that were journaled';

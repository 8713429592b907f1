-- Notifies the parents of child runs that ended in this transaction, and remembers by which notification.
create or replace function weir.notify_parents(p_ended bigint[]) returns void
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
declare
  v_parents bigint[];
begin
  select array_agg(distinct c.parent_run) into v_parents
  from weir.run c
  where c.id = any (p_ended) and c.parent_run is not null;
  if v_parents is null then return; end if;
  perform weir.notify_runs(v_parents);
  perform weir.number_child_ends(p_ended);
end $$;
comment on function weir.notify_parents is 'notifies the parents of child runs that ended in this transaction';

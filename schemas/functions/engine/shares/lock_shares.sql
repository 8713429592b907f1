-- Locks the shares that a worker holds, when it ends, as weir.lock_runs does with its runs.
create or replace function weir.lock_shares(p_worker bigint, p_waits boolean) returns bigint[]
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
declare
  v_held bigint[];
begin
  if p_waits then
    select array_agg(h.id) into v_held
    from (select s.id from weir.share s where s.worker_id = p_worker order by s.id for update) as h;
  else
    select array_agg(h.id) into v_held
    from (select s.id from weir.share s where s.worker_id = p_worker order by s.id for update skip locked) as h;
  end if;
  return coalesce(v_held, '{}');
end $$;
comment on function weir.lock_shares is 'locks the shares that a worker holds, when it ends';

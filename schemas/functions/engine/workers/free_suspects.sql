-- Releases what crashed workers keep for a trial (F10) when its time is over: it starts again as usual, and nothing is
-- charged. What a transaction of somebody else has locked is left to the next call.
create or replace function weir.free_suspects() returns void
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
declare
  v_dead weir.worker%rowtype;
begin
  for v_dead in
    select * from weir.worker w
    where w.keeps_runs and w.lease_until <= clock_timestamp()
    order by w.id
    for update skip locked
  loop
    continue when not weir.release_runs(
      v_dead.id, weir.lock_runs(v_dead.id, false), weir.lock_shares(v_dead.id, false));
    update weir.worker w set keeps_runs = false where w.id = v_dead.id;
  end loop;
end $$;
comment on function weir.free_suspects is 'releases what crashed workers keep for a trial, when its time is over';

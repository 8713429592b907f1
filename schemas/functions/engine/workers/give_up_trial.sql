-- Ends the time in which these crashed workers keep suspects for a trial (F10): it is over, or nobody will hold it.
create or replace function weir.give_up_trial(p_workers bigint[]) returns void
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
begin
  update weir.worker w set lease_until = clock_timestamp() where w.id = any (p_workers) and w.keeps_runs;
  if not found then return; end if;
  perform weir.free_suspects();
  perform weir.wake_workers();
end $$;
comment on function weir.give_up_trial is 'releases what crashed workers keep for a trial that nobody holds';

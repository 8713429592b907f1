-- What follows in the same transaction from runs having ended, whose open rows their caller has deleted: nothing of
-- them is shared any more (p_shares: false where they have no shares), and where p_limited one of them had a place
-- under a limit, which is free now.
create or replace function weir.runs_ended(p_runs bigint[], p_limited boolean, p_shares boolean default true)
returns void
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
begin
  if p_shares is not false then  -- usually there are none all the same: then this reads two empty tables
    if exists (select from weir.share s where s.run_id = any (p_runs)) then perform weir.end_shares(p_runs); end if;
    delete from weir.share_news n where n.run_id = any (p_runs);
  end if;
  if p_limited then perform weir.places_freed(); end if;
end $$;
comment on function weir.runs_ended is 'what follows from runs having ended: shares end, places are free';

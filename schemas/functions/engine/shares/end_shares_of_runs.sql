-- Ends all shares of runs that are over: see weir.end_shares.
create or replace function weir.end_shares_of_runs() returns trigger
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
declare
  v_runs bigint[];
begin
  -- Usually nothing is shared: then this reads two empty tables.
  select array_agg(g.run_id) into v_runs from gone g;
  if v_runs is null then return null; end if;
  if exists (select from weir.share s where s.run_id = any (v_runs)) then perform weir.end_shares(v_runs); end if;
  delete from weir.share_news n where n.run_id = any (v_runs);
  return null;
end $$;
comment on function weir.end_shares_of_runs is 'ends all shares of runs that are over';

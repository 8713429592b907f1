-- Gives the ends of child runs the number of the notification that their parents have just been sent: weir.exchange
-- tells each end once.
create or replace function weir.number_child_ends(p_ended bigint[]) returns void
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
begin
  update weir.run c
  set parent_news = o.news
  from weir.open_run o
  where c.id = any (p_ended) and c.parent_run is not null and o.run_id = any (array[c.parent_run]);
end $$;
comment on function weir.number_child_ends is 'gives the ends of child runs the number of their notification';

-- Ends runs as cancelled whose worker released them before it acted on the cancel.
create or replace function weir.cancel_released(p_runs bigint[]) returns void
language plpgsql
set jit = off set enable_seqscan = off
as $$
begin
  perform weir.cancel_runs(c.runs, c.reason)
  from (select array_agg(o.run_id order by o.run_id) as runs, o.cancel_reason as reason
        from weir.open_run o
        where o.run_id = any (p_runs) and o.cancel_reason is not null
        group by o.cancel_reason) as c;
end $$;
comment on function weir.cancel_released is
  'ends runs as cancelled whose worker released them before it acted on the cancel';

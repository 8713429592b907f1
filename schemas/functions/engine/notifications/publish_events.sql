-- Publishes events to the listeners of channel weir_events (E1), in order. Each notification is a JSON array of
-- {"event": "step:pay:completed", "flow": slug, "run_id": UUID}, as many as fit. It is a hint: the tables are the
-- truth. NOTIFY takes a lock of the whole server, so nothing is sent while there is no listener.
create or replace function weir.publish_events(p_run bigint[], p_event text[]) returns void
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
begin
  if not exists (select from weir.listening l where l.until > now()) then return; end if;
  perform pg_notify('weir_events', n.payload)
  from (
    select '[' || string_agg(s.item, ',' order by s.place) || ']' as payload
    from (
      select i.place, i.item, sum(octet_length(i.item) + 1) over (order by i.place) / 7000 as part
      from (
        select x.place, jsonb_build_object('event', x.event, 'flow', f.slug, 'run_id', r.uuid)::text as item
        from unnest(p_run, p_event) with ordinality as x(run_id, event, place)
        join weir.run r on r.id = any (array[x.run_id])
        join weir.version v on v.id = any (array[r.version_id])
        join weir.flow f on f.id = any (array[v.flow_id])) as i) as s
    group by s.part
    order by s.part) as n;
end $$;
comment on function weir.publish_events is 'publishes events to the channel weir_events, while it has a listener';

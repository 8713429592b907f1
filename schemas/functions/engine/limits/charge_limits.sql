-- Counts runs that were claimed under limits against the rates of their flows and keys.
create or replace function weir.charge_limits(p_flows integer[], p_keys text[], p_now timestamptz) returns void
language plpgsql
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
as $$
begin
  update weir.flow_limit l
  set tat = weir.rate_used(l.tat, l.rate, l.rate_per, p_now, t.runs)
  from (select u.flow_id, count(*) as runs
        from unnest(p_flows) as u(flow_id)
        group by u.flow_id) as t
  where l.flow_id = any (array[t.flow_id]) and l.rate is not null;
  insert into weir.key_rate as k (flow_id, key, tat)
  select u.flow_id, u.key, weir.rate_used(null, l.key_rate, l.key_rate_per, p_now, count(*))
  from unnest(p_flows, p_keys) as u(flow_id, key)
  join weir.flow_limit l on l.flow_id = any (array[u.flow_id]) and l.key_rate is not null
  where u.key <> '-'
  group by u.flow_id, u.key, l.key_rate, l.key_rate_per
  on conflict (flow_id, key) do update
  set tat = greatest(k.tat, p_now) + (excluded.tat - p_now);
end $$;
comment on function weir.charge_limits is 'counts runs that were claimed under limits against their rates';

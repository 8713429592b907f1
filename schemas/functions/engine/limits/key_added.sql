-- Gives runs that were opened the key by which the limits of their flow count them (C6).
create or replace function weir.key_added() returns trigger
language plpgsql
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
as $$
begin
  if not exists (select from weir.flow_limit l where l.key_path is not null) then return null; end if;
  update weir.open_run o
  set limit_key = weir.limit_key(l.key_path, r.input)
  from added a
  join weir.version v on v.id = any (array[a.version_id])
  join weir.flow_limit l on l.flow_id = any (array[v.flow_id]) and l.key_path is not null
  join weir.run r on r.id = any (array[a.run_id])
  where o.run_id = any (array[a.run_id]);
  return null;
end $$;
comment on function weir.key_added is
  'gives runs that were opened the key by which the limits of their flow count them';

-- The newest version of a flow that a live worker offers to new runs (V5); null when none does.
create or replace function weir.offered_version(p_flow integer) returns integer
language plpgsql stable
set jit = off set enable_seqscan = off  -- by key, as plans are kept while tables grow
as $$
begin
  return (
    select v.id
    from weir.version v
    where v.flow_id = p_flow
      and exists (select from weir.serving s
                  join weir.worker w on w.id = any (array[s.worker_id])
                  where s.version_id = any (array[v.id]) and s.offered
                    and w.ended_at is null and w.lease_until > clock_timestamp())
    order by v.number desc
    limit 1);
end $$;
comment on function weir.offered_version is 'the newest version of a flow that a live worker offers to new runs';

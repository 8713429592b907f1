-- The shares that a worker holds. Others that it had are not its own any more: their runs ended, or it lost them with
-- its lease.
create or replace function weir.held_shares(worker bigint) returns bigint[]
language sql stable
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
  select coalesce(array_agg(s.id order by s.id), '{}')
  from weir.share s
  where s.worker_id = $1
$$;
comment on function weir.held_shares is 'the shares that a worker holds';

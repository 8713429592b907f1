-- The shares a worker holds: those it had and does not find here are not its any more. Their runs ended, or it lost
-- them with its lease.
create or replace function weir.held_shares(worker bigint) returns bigint[]
language sql stable as $$
  select coalesce(array_agg(s.id order by s.id), '{}') from weir.share s where s.worker_id = $1
$$;
comment on function weir.held_shares is 'the shares a worker holds';

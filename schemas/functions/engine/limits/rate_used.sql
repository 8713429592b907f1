-- The theoretical arrival time of a rate after that many runs are claimed: see weir.rate_left.
create or replace function weir.rate_used(
  p_tat timestamptz, p_rate integer, p_per interval, p_now timestamptz, p_runs bigint)
returns timestamptz
language sql immutable parallel safe as $$
  select greatest(coalesce(p_tat, p_now), p_now) + p_per * p_runs / p_rate
$$;
comment on function weir.rate_used is 'the theoretical arrival time of a rate after that many runs are claimed';

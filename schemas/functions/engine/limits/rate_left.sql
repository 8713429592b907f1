-- How many runs a rate allows now: at most p_rate at once, and in the long run p_rate in each p_per (GCRA; p_tat is the
-- theoretical arrival time that earlier runs left).
create or replace function weir.rate_left(p_tat timestamptz, p_rate integer, p_per interval, p_now timestamptz)
returns integer
language sql immutable parallel safe as $$
  select greatest(0, floor(extract(epoch from p_now + p_per - greatest(coalesce(p_tat, p_now), p_now)) * p_rate
                           / extract(epoch from p_per) + 0.0001))::integer
$$;
comment on function weir.rate_left is 'how many runs a rate allows now';

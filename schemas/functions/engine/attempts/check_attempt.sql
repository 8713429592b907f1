-- Refuses what no row of the journal can be: without a step, a task, an attempt, an outcome or times of an attempt.
-- Errors: WR003.
create or replace function weir.check_attempt(
  p_step smallint, p_index integer, p_attempt smallint, p_outcome smallint, p_started_at timestamptz,
  p_ended_at timestamptz)
returns void
language plpgsql immutable as $$
begin
  if p_step >= 0 and p_index >= 0 and p_attempt >= 1 and p_outcome between 1 and cardinality(weir.outcomes())
     and weir.check_time('started_at', p_started_at) is not null
     and weir.check_time('ended_at', p_ended_at) is not null then
    return;
  end if;
  raise exception 'step %, task %, attempt %, outcome %, from % to %: no attempt is so',
    coalesce(p_step::text, 'null'), coalesce(p_index::text, 'null'), coalesce(p_attempt::text, 'null'),
    coalesce(p_outcome::text, 'null'), coalesce(p_started_at::text, 'null'), coalesce(p_ended_at::text, 'null')
    using errcode = 'WR003', hint = 'attempts count from 1, steps and tasks from 0; weir.outcomes() has the outcomes';
end $$;
comment on function weir.check_attempt is 'refuses with WR003 what no row of the journal can be';

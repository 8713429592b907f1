-- The names of all outcomes; the place of each is its number in weir.journal. The same as Outcome in
-- core/run/journal_row.hpp, which a test compares.
-- This function and those that use it are immutable and in PL/pgSQL: the planner replaces a call by its result, and
-- need not parse a body in SQL to do so.
create or replace function weir.outcomes() returns text[]
language plpgsql immutable parallel safe as $$
begin
  return array['completed', 'failed', 'failed_for_good', 'timed_out', 'lost', 'cancelled', 'skipped', 'retried'];
end $$;
comment on function weir.outcomes is 'the names of all outcomes; the place of each is its number in the journal';

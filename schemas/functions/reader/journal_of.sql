-- The journal of one run by step, index and attempt: all rows, also those that weir.attempts leaves out.
create or replace function weir.journal_of(run_id uuid) returns setof weir.journal
language sql stable
set jit = off set enable_seqscan = off
as $$
  select j.*
  from weir.journal j
  where j.run_id = (select r.id from weir.run r where r.uuid = $1)
  order by j.step, j.task_index, j.attempt
$$;
comment on function weir.journal_of is 'the journal of one run';

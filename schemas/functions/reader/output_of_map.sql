-- The output of a map that is completed: the array of the outputs of its tasks. Null where PostgreSQL cannot have all
-- of them in one value: then each is in weir.attempts.
create or replace function weir.output_of_map(p_run bigint, p_step smallint) returns jsonb
language plpgsql stable
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
begin
  return (select coalesce(jsonb_agg(coalesce(j.output, 'null') order by j.task_index), '[]')
          from weir.journal j
          where j.run_id = p_run and j.step = p_step and j.outcome = weir.outcome('completed'));
exception when program_limit_exceeded or out_of_memory then
  return null;
end $$;
comment on function weir.output_of_map is
  'the output of a map that is completed; null where it is too large for one value';

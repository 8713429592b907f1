-- The outcomes of attempts that failed, as numbers. A retry of the run retries the tasks that ended with one of them.
create or replace function weir.failures() returns smallint[]
language plpgsql immutable parallel safe as $$
begin
  return array[
    weir.outcome('failed'), weir.outcome('failed_for_good'), weir.outcome('timed_out'), weir.outcome('lost')];
end $$;
comment on function weir.failures is 'the outcomes of attempts that failed, as numbers';

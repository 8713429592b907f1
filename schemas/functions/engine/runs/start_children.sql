-- Starts child runs, each as weir.start_child does, and renews the lease of the worker first. Returns a row for each
-- that was not started, by its place in the arrays, from 1 on: the code and the message of the error. Code 55P03: a
-- transaction of somebody else has locked the parent, or holds what the start needs: it is to be sent again. `inputs`
-- are JSON texts.
-- Errors: WR001 the worker's lease has lapsed.
create or replace function weir.start_children(
  worker bigint, lease_ms bigint, runs bigint[], steps smallint[], attempts smallint[], flows text[], inputs text[])
returns table (place integer, code text, message text, hint text)
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
set lock_timeout = '1ms'
as $$
begin
  perform weir.renew(worker, lease_ms);
  for i in 1 .. coalesce(cardinality(runs), 0) loop
    begin
      perform weir.start_child(worker, runs[i], steps[i], attempts[i], flows[i], inputs[i]::jsonb);
    exception when others then
      get stacked diagnostics code = returned_sqlstate, message = message_text, hint = pg_exception_hint;
      if code ~ '^(08|25|53[^2]|57|58|F0|XX00[12])' then raise; end if;
      place := i;
      return next;
    end;
  end loop;
end $$;
comment on function weir.start_children is 'starts child runs of attempts of flow steps, each once';

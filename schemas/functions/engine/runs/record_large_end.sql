-- Completes a run with a large output, in a transaction of its own: see weir.record_large_result. Of a run that is
-- over, or was deleted since, nothing is written. busy: somebody else has locked the run, its parent, a child run or a
-- share of it.
create or replace function weir.record_large_end(
  p_worker bigint, p_run bigint, p_output text,
  out busy boolean, out refusal text)
language plpgsql
set jit = off set enable_seqscan = off
set lock_timeout = '2s'
as $$
declare
  v_state text;
begin
  busy := false;
  if not exists (select from weir.run r where r.id = p_run and r.status = 0) then return; end if;
  busy := not weir.own_attempt(p_worker, p_run, 0, null, null, null);
  if busy then return; end if;
  -- While this lasts, nothing is locked that others need.
  update weir.run r set output = coalesce(p_output, 'null')::jsonb where r.id = p_run;
  perform set_config('lock_timeout', '1ms', true);
  perform weir.record_runs(
    p_worker, clock_timestamp(),
    '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
    array[p_run], array[1::smallint], array[null::text], array[null::text],
    array[null::smallint], array[null::text], '{}', '{}', '{}', '{}',
    '{}', '{}');
exception when others then
  get stacked diagnostics v_state = returned_sqlstate, refusal = message_text;
  busy := v_state in ('55P03', '40P01');
  if busy then
    refusal := null;
  elsif not weir.is_fault_of_value(v_state, refusal, octet_length(p_output)) then
    raise;
  end if;
end $$;
comment on function weir.record_large_end is 'completes a run with a large output, while exchanges continue';

-- Ends a wait step of a run (C4), begun or not, with a payload for its output. Returns false when the
-- step was sent its signal before; then nothing is changed.
-- Errors: WR002 no such run, or its flow has no wait step for the signal; WR006 the run or the wait is over.
create or replace function weir.signal(run_id uuid, name text, payload jsonb default 'null') returns boolean
language plpgsql
set jit = off set enable_seqscan = off
as $$
declare
  v_run  weir.run%rowtype := weir.run_by_uuid(run_id);
  v_step smallint;
begin
  select s.position into v_step from weir.step s where s.version_id = v_run.version_id and s.signal = name;
  if not found then
    raise exception using errcode = 'WR002',
      message = format('run %s waits for no signal "%s"', run_id, name),
      hint = coalesce((select 'it waits for: ' || string_agg(s.signal, ', ' order by s.signal)
                       from weir.step s where s.version_id = v_run.version_id),
                      'its flow has no wait step');
  end if;

  perform from weir.open_run o where o.run_id = v_run.id for no key update;  -- one sender after the other
  if exists (select from weir.sent_signal t
             where t.run_id = v_run.id and t.step = v_step and t.payload is not null) then
    return false;
  end if;
  if exists (select from weir.journal j where j.run_id = v_run.id and j.step = v_step)
     or exists (select from weir.sent_signal t where t.run_id = v_run.id and t.step = v_step) then  -- closed
    raise exception using errcode = 'WR006',
      message = format('the wait of run %s for signal "%s" is over', run_id, name),
      hint = 'a signal counts until its wait has ended';
  end if;
  if not exists (select from weir.open_run o where o.run_id = v_run.id) then
    raise exception 'run % is over', run_id
      using errcode = 'WR006', hint = 'a signal counts until its wait has ended';
  end if;
  insert into weir.sent_signal (run_id, step, payload, news)
  select o.run_id, v_step, coalesce(payload, 'null'), o.news + 1 from weir.open_run o where o.run_id = v_run.id;
  perform weir.notify_runs(array[v_run.id]);
  return true;
end $$;
comment on function weir.signal is 'ends a wait step of a run, begun or not; false: it was signalled before';

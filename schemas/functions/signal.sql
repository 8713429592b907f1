-- Ends a wait step of the run's flow (C4), begun or not, with a payload for its output. Several waits of one name
-- are ended one signal each, in their order. Returns false when that wait was sent its signal before: then
-- nothing is done.
-- Errors: WR002 no such run, or its flow waits for no such signal; WR006 the run or the wait is over.
create or replace function weir.signal(run_id uuid, name text, payload jsonb default 'null') returns boolean
language plpgsql
set enable_seqscan = off
as $$
declare
  v_run  weir.run%rowtype := weir.run_named(run_id);
  v_step smallint;
  v_sent boolean;
begin
  if not exists (select from weir.step s where s.version_id = v_run.version_id and s.signal = name) then
    raise exception using errcode = 'WR002',
      message = format('run %s waits for no signal "%s"', run_id, name),
      hint = coalesce((select 'it waits for: ' || string_agg(distinct s.signal, ', ' order by s.signal)
                       from weir.step s where s.version_id = v_run.version_id), 'its flow has no wait step');
  end if;

  -- From here on no exchange ends a wait of this run that is not seen below.
  perform from weir.open_run o where o.run_id = v_run.id for no key update;
  select s.position into v_step from weir.step s
  where s.version_id = v_run.version_id and s.signal = name
    and not exists (select from weir.journal j where j.run_id = v_run.id and j.step = s.position)
  order by s.position limit 1;
  v_sent := exists (
    select from weir.sent_signal t join weir.step s on s.version_id = v_run.version_id and s.position = t.step
    where t.run_id = v_run.id and s.signal = name and s.position = coalesce(v_step, s.position));
  if v_sent then return false; end if;
  if v_step is null or not exists (select from weir.open_run o where o.run_id = v_run.id) then
    raise exception using errcode = 'WR006',
      message = case when v_step is null then format('the wait of run %s for signal "%s" is over', run_id, name)
                     else format('run %s is over', run_id) end,
      hint = 'a signal counts until its wait has ended';
  end if;
  insert into weir.sent_signal (run_id, step, payload) values (v_run.id, v_step, coalesce(payload, 'null'));
  perform weir.tell_runs(array[v_run.id]);
  return true;
end $$;
comment on function weir.signal is 'ends a wait step of a run, begun or not; false: it was signalled before';

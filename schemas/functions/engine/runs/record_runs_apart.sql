-- The same as weir.record_runs, but what cannot be written of one run does not keep the others from being written: the
-- runs are written in halves, and those of a half that fails again in halves, at last alone. What PostgreSQL cannot
-- read of an output is the fault of one run as well.
-- busy: runs that could not be ended or released, because a transaction of somebody else has locked their row, or that
-- of a parent, a child run or a share: what was settled of them is in the journal, the rest is to be sent again.
-- refused, errors: runs of which PostgreSQL cannot store a value, and what it said: nothing was written of a run that
-- is refused for what it settled; of one that is refused for its own output what it settled is in the journal.
-- Errors of the server itself (its disk, its memory, a shutdown), and a lock of the whole journal, are errors of the
-- call.
create or replace function weir.record_runs_apart(
  p_worker bigint, p_now timestamptz,
  j_run bigint[], j_step smallint[], j_index integer[], j_attempt smallint[], j_outcome smallint[], j_output text[],
  j_error_code text[], j_error text[], j_retry_after_ms bigint[], j_started_at timestamptz[], j_ended_at timestamptz[],
  j_plugin integer[],
  e_run bigint[], e_status smallint[], e_output text[], e_error text[], e_failed_step smallint[], e_note text[],
  r_run bigint[], r_wake_at timestamptz[],
  h_run bigint[], h_count integer[],
  x_run bigint[], x_event text[],
  out busy bigint[], out refused bigint[], out errors text[])
language plpgsql
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
set lock_timeout = '1ms'
as $$
declare
  v_runs   bigint[] := array(
    select distinct u.run from unnest(j_run || e_run || r_run || h_run || x_run) as u(run) order by 1);
  -- What is still to be written, the next at the end: from which run to which, and of what is about them 'journal',
  -- 'rest', or 'all'.
  v_firsts integer[] := array[1];
  v_lasts  integer[] := array[cardinality(v_runs)];
  v_whats  text[] := array['all'];
  v_left   integer := least(cardinality(v_runs), 1);
  v_first  integer;
  v_last   integer;
  v_what   text;
  v_from   bigint;
  v_to     bigint;
  v_state  text;
  v_error  text;
begin
  busy := '{}';
  refused := '{}';
  errors := '{}';
  while v_left > 0 loop
    v_first := v_firsts[v_left];
    v_last := v_lasts[v_left];
    v_what := v_whats[v_left];
    v_left := v_left - 1;
    v_from := v_runs[v_first];
    v_to := v_runs[v_last];
    continue when v_what = 'rest' and v_from = any (refused);
    begin
      perform weir.record_runs(
        p_worker, p_now,
        j.run, j.step, j.index, j.attempt, j.outcome, j.output, j.error_code, j.error, j.retry_after_ms, j.started_at,
        j.ended_at, j.plugin,
        e.run, e.status, e.output, e.error, e.failed_step, e.note,
        r.run, r.wake_at,
        h.run, h.count,
        x.run, x.event)
      from
        (select coalesce(array_agg(u.run), '{}') as run, array_agg(u.step) as step, array_agg(u.index) as index,
                array_agg(u.attempt) as attempt, array_agg(u.outcome) as outcome, array_agg(u.output) as output,
                array_agg(u.error_code) as error_code,
                array_agg(u.error) as error, array_agg(u.retry_after_ms) as retry_after_ms,
                array_agg(u.started_at) as started_at,
                array_agg(u.ended_at) as ended_at, array_agg(u.plugin) as plugin
         from unnest(j_run, j_step, j_index, j_attempt, j_outcome, j_output, j_error_code, j_error, j_retry_after_ms,
                     j_started_at, j_ended_at, j_plugin)
                as u(run, step, index, attempt, outcome, output, error_code, error, retry_after_ms, started_at,
                     ended_at, plugin)
         where v_what <> 'rest' and u.run between v_from and v_to) as j,
        (select coalesce(array_agg(u.run), '{}') as run, array_agg(u.status) as status,
                array_agg(u.output) as output, array_agg(u.error) as error,
                array_agg(u.failed_step) as failed_step, array_agg(u.note) as note
         from unnest(e_run, e_status, e_output, e_error, e_failed_step, e_note)
                as u(run, status, output, error, failed_step, note)
         where v_what <> 'journal' and u.run between v_from and v_to) as e,
        (select coalesce(array_agg(u.run), '{}') as run, array_agg(u.wake_at) as wake_at
         from unnest(r_run, r_wake_at) as u(run, wake_at)
         where v_what <> 'journal' and u.run between v_from and v_to) as r,
        (select coalesce(array_agg(u.run), '{}') as run, array_agg(u.count) as count
         from unnest(h_run, h_count) as u(run, count)
         where v_what <> 'journal' and u.run between v_from and v_to) as h,
        (select coalesce(array_agg(u.run order by u.place), '{}') as run,
                array_agg(u.event order by u.place) as event
         from unnest(x_run, x_event) with ordinality as u(run, event, place)
         where v_what <> 'journal' and u.run between v_from and v_to) as x;
    exception when others then
      get stacked diagnostics v_state = returned_sqlstate, v_error = message_text;
      -- Only a lock, or a value, is the fault of a run.
      if v_state !~ '^(22|54)' and v_state not in ('55P03', '40P01', '53200', 'XX000') then raise; end if;
      if v_first < v_last then
        v_firsts[v_left + 1 : v_left + 2] := array[(v_first + v_last) / 2 + 1, v_first];
        v_lasts[v_left + 1 : v_left + 2] := array[v_last, (v_first + v_last) / 2];
        v_whats[v_left + 1 : v_left + 2] := array[v_what, v_what];
        v_left := v_left + 2;
      elsif v_what = 'all' then
        v_firsts[v_left + 1 : v_left + 2] := array[v_first, v_first];
        v_lasts[v_left + 1 : v_left + 2] := array[v_first, v_first];
        v_whats[v_left + 1 : v_left + 2] := array['rest', 'journal'];
        v_left := v_left + 2;
      elsif v_state in ('55P03', '40P01') then
        if v_what = 'journal' then raise; end if;  -- somebody has locked the whole journal
        busy := busy || v_from;
      elsif not weir.is_fault_of_value(v_state, v_error, (
              select coalesce(sum(octet_length(u.output)), 0)
              from (select j.output from unnest(j_run, j_output) as j(run, output) where j.run = v_from
                    union all
                    select e.output from unnest(e_run, e_output) as e(run, output) where e.run = v_from) as u)) then
        raise;
      else
        refused := refused || v_from;
        errors := errors || v_error;
      end if;
    end;
  end loop;
end $$;
comment on function weir.record_runs_apart is
  'the same as weir.record_runs, but what cannot be written of one run does not hold up the others';

-- The one call that a worker makes again and again, with one commit. It checks and renews the worker's lease, appends
-- what the worker settled to the journal, closes runs that ended, releases runs that can wait, acknowledges
-- notifications, publishes events, states what the worker will have in flight, and claims new runs.
--
-- Sequence: the worker numbers its calls 1, 2, 3 and so on. A call that was committed but whose answer was lost is
-- repeated with the same number: nothing is written twice and the same claims are returned (L6). A gap means that the
-- database lost commits of this worker, in a crash after asynchronous commits: weir.resume_as_worker tells what it
-- holds. Behind a standby that has taken over, and may have lost commits of whatever kind, no worker goes on that
-- joined before: what it knows of its runs may never have happened.
--
-- It waits for nobody: after the lock_timeout of this function, or when PostgreSQL cannot store a value, the worker
-- repeats the call with p_apart. Then what is the matter with one run keeps no other from being written: see
-- weir.record_runs_apart.
--
-- Outputs come as text, in j_text and e_text, from workers of this version; from those before it in j_output and
-- e_output.
--
-- p_crowded: those of p_versions of which nothing is claimed, because it would wait in this worker.
--
-- p_parents, p_children, p_shares: false where no run that ends has a parent, child runs, or shares of its maps.
--
-- Returns three kinds of rows:
-- 1. One row with run_id null. database_time; next_wake_at: when the next sleeping run is due, or a limit allows a run;
--    claims: how many more runs there would have been if other workers were not claiming them at this moment;
--    listened: events have a listener; paused: those of p_versions of which no run may be begun.
--    busy: runs whose end or release is to be sent again; refused, refusals: runs of which PostgreSQL cannot store a
--    value, and why.
-- 2. A row for each claimed run. begun: the step that this call has stated as in flight, as its first attempt, with the
--    plugin that the worker has for the version (weir.serve_versions): its handler may begin when this call returns. At
--    most p_begins_max runs are begun, and only such that nobody had before.
-- 3. The notifications of the worker's runs, each time until they are acknowledged. For each run that has any: a row
--    with news (how many) and cancel_reason; one with told_step and told_value for each signal; one that has
--    told_attempt as well for each child run that ended. What was acknowledged, or stands in the journal, is left out.
--    Without p_changes (workers of the version before) it comes again with each notification.
-- Errors: WR001 lease lost: the worker was declared dead, nothing was written, what it held is with other workers (L2);
-- or a standby has taken over. WR007 commits of the worker were lost, nothing was written: weir.resume_as_worker.
create or replace function weir.exchange(
  p_worker bigint, p_sequence bigint, p_lease_ms bigint,
  -- settled attempts
  j_run bigint[], j_step smallint[], j_index integer[], j_attempt smallint[], j_outcome smallint[], j_output jsonb[],
  j_error_code text[], j_error text[], j_retry_after_ms bigint[], j_started_at timestamptz[], j_ended_at timestamptz[],
  j_plugin integer[],
  -- ended runs
  e_run bigint[], e_status smallint[], e_output jsonb[], e_error text[], e_failed_step smallint[], e_note text[],
  -- released runs
  r_run bigint[], r_wake_at timestamptz[],
  -- acknowledged notifications
  h_run bigint[], h_count integer[],
  -- events
  x_run bigint[], x_event text[],
  -- attempts in flight
  f_run bigint[], f_step smallint[], f_index integer[], f_attempt smallint[], f_plugin integer[],
  p_versions integer[], p_claims_max integer, p_changes boolean default false,
  p_apart boolean default false, j_text text[] default null, e_text text[] default null,
  p_begins_max integer default 0,
  p_parents boolean default true, p_children boolean default true, p_shares boolean default true,
  p_crowded integer[] default '{}')
returns table (
  database_time timestamptz, next_wake_at timestamptz,
  run_id bigint, run_uuid uuid, version_id integer, priority smallint, input jsonb, available_at timestamptz,
  claims integer,
  listened boolean, paused integer[],
  news integer, cancel_reason text, told_step smallint, told_attempt smallint, told_status smallint, told_value jsonb,
  told_error text,
  busy bigint[], refused bigint[], refusals text[], begun smallint, has_parent boolean)
language plpgsql
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
set lock_timeout = '100ms'
as $$
#variable_conflict use_column
declare
  v_called    timestamptz := clock_timestamp();  -- the server may stand still after weir.notice_outage
  v_commit    text;
  v_settled   text[] := coalesce(j_text, j_output::text[]);
  v_ended     text[] := coalesce(e_text, e_output::text[]);
  v_now       timestamptz;  -- a variable can be looked up in an index, clock_timestamp() cannot
  v_seen      bigint;
  v_trial_of  bigint[];
  v_claimed   bigint[] := '{}';
  v_claim     record;      -- what weir.claim gave
  v_claims    integer[];   -- how many workers each of them has had
  v_missed    integer := 0;
  v_next_at   timestamptz;  -- when a limit allows runs
  v_listened  boolean;
  v_paused    integer[];
  v_notified  bigint[];
  v_heard     integer[];    -- what was acknowledged of these
  v_busy      bigint[] := '{}';
  v_refused   bigint[] := '{}';
  v_refusals  text[];
  v_begun     smallint[];   -- what each of v_claimed begins with; null: nothing, or none of them does
  b_run       bigint[];
  b_step      smallint[];
  b_plugin    integer[];
begin
  perform weir.notice_outage(p_worker);
  select w.sequence, w.trial_of into v_seen, v_trial_of
  from weir.worker w
  where w.id = p_worker and w.ended_at is null and w.lease_until > v_called
    and w.timeline = weir.timeline()
  for update;
  if not found or v_seen > p_sequence then
    raise exception 'worker % has lost its lease', p_worker using errcode = 'WR001',
      hint = 'other workers have its runs now; it joins again as a new worker';
  elsif v_seen < p_sequence - 1 then
    raise exception 'the database has lost % commits of worker %', p_sequence - 1 - v_seen, p_worker
      using errcode = 'WR007', hint = 'weir.resume_as_worker lets it continue';
  end if;

  v_now := clock_timestamp();
  select exists (select from weir.listening l where l.until > v_now),
         (select array_agg(v.id)  -- from the few flows that are paused, not from what the worker has
          from (select p.id from weir.flow p where p.paused_at is not null offset 0) as f
          join weir.version v on v.flow_id = any (array[f.id])
          where coalesce(v.id, 0) = any (p_versions))
  into v_listened, v_paused;

  if v_seen = p_sequence - 1 then
    -- If a crash of the server loses any of the rest, the sequence shows it: no need to wait for the disk.
    if cardinality(j_run) = 0 and cardinality(e_run) = 0 and cardinality(r_run) = 0 then
      v_commit := set_config('synchronous_commit', 'off', true);
    end if;

    if p_apart then
      select a.busy, a.refused, a.errors into v_busy, v_refused, v_refusals
      from weir.record_runs_apart(
        p_worker, v_now,
        j_run, j_step, j_index, j_attempt, j_outcome, v_settled, j_error_code, j_error, j_retry_after_ms,
        j_started_at, j_ended_at, j_plugin,
        e_run, e_status, v_ended, e_error, e_failed_step, e_note, r_run, r_wake_at, h_run, h_count, x_run,
        x_event) as a;
    elsif cardinality(j_run) + cardinality(e_run) + cardinality(r_run) + cardinality(h_run) + cardinality(x_run) > 0
    then
      perform weir.record_runs(
        p_worker, v_now,
        j_run, j_step, j_index, j_attempt, j_outcome, v_settled, j_error_code, j_error, j_retry_after_ms,
        j_started_at, j_ended_at, j_plugin,
        e_run, e_status, v_ended, e_error, e_failed_step, e_note, r_run, r_wake_at, h_run, h_count, x_run, x_event,
        p_parents, p_children, p_shares);
    end if;

    if p_claims_max > 0 and v_trial_of is not null then
      select c.claimed, c.claims into v_claimed, v_claims
      from weir.claim_suspects(p_worker, p_sequence, v_trial_of, p_versions, v_paused) as c;
    elsif p_claims_max > 0 then
      v_claim := weir.claim(p_worker, p_sequence,
                            case when v_paused is null and p_crowded = '{}' then p_versions
                                 else array(select v.id from unnest(p_versions) as v(id)
                                            where v.id <> all (coalesce(v_paused, '{}') || p_crowded)) end,
                            p_claims_max, v_now);
      v_claimed := v_claim.claimed;
      v_claims := v_claim.claims;
      v_missed := v_claim.missed;
      v_next_at := v_claim.next_at;
    end if;
  else
    select coalesce(array_agg(o.run_id), '{}'), array_agg(o.claims) into v_claimed, v_claims
    from weir.open_run o
    where o.worker_id = p_worker and o.claimed_in = p_sequence;
    -- What the first call left out shows in what it wrote.
    v_refused := array(
      select distinct j.run_id
      from unnest(j_run, j_step, j_index, j_attempt) as j(run_id, step, task_index, attempt)
      where not exists (select from weir.journal w
                        where w.run_id = j.run_id and w.step = j.step and w.task_index = j.task_index
                          and w.attempt = j.attempt));
    v_refusals := array_fill('PostgreSQL cannot store one of its values'::text, array[cardinality(v_refused)]);
    v_busy := array(
      select o.run_id
      from weir.open_run o
      where o.run_id = any (e_run || r_run) and o.run_id <> all (v_refused) and o.worker_id = p_worker
        and o.claimed_in <> p_sequence);
  end if;

  -- A repeated call finds the same.
  if p_begins_max > 0 and cardinality(v_claimed) > 0 and v_trial_of is null then
    select array_agg(b.first_step), array_agg(b.run_id) filter (where b.first_step is not null),
           array_agg(b.first_step) filter (where b.first_step is not null),
           array_agg(b.plugin_id) filter (where b.first_step is not null)
    into v_begun, b_run, b_step, b_plugin
    from (
      select c.run_id, s.first_step, s.plugin_id
      from (
        select t.place, o.run_id, o.version_id,
               o.claims = 1
               and row_number() over (order by o.claims > 1, o.priority desc, o.run_id) <= p_begins_max as begins
        from unnest(v_claimed) with ordinality as t(run_id, place)
        join weir.open_run o on o.run_id = any (array[t.run_id])) as c
      -- Of the few workers that have the version; coalesce keeps the planner from the index by worker.
      left join lateral (
        select s.first_step, s.plugin_id
        from weir.serving s
        where c.begins and s.version_id = any (array[c.version_id]) and coalesce(s.worker_id, 0) = p_worker
        offset 0) as s on true
      order by c.place) as b;
  end if;

  update weir.worker w
  set lease_until = clock_timestamp() + weir.lease_time(p_lease_ms), sequence = p_sequence, spared = false,
      idle = v_trial_of is null and cardinality(v_claimed) + v_missed < p_claims_max,
      in_flight_run = f_run || b_run, in_flight_step = f_step || b_step,
      in_flight_index = f_index || array_fill(0, array[coalesce(cardinality(b_run), 0)]),
      in_flight_attempt = f_attempt || array_fill(1::smallint, array[coalesce(cardinality(b_run), 0)]),
      in_flight_plugin = f_plugin || b_plugin
  where w.id = p_worker;

  select n.runs, n.heard, least(v_next_at, w.wake_at) into v_notified, v_heard, next_wake_at
  from (select array_agg(o.run_id) as runs, array_agg(case when p_changes then o.news_heard else -1 end) as heard
        from weir.open_run o
        where o.worker_id = p_worker and o.news > o.news_heard) as n,
       -- Not from the beginning: rows that were due may lie there dead until an old snapshot ends.
       (select min(o.wake_at) as wake_at
        from weir.open_run o
        where o.worker_id is null and o.wake_at > v_now) as w;

  database_time := clock_timestamp();
  claims := v_missed;
  listened := v_listened;
  paused := v_paused;
  busy := v_busy;
  refused := v_refused;
  refusals := v_refusals;
  return next;
  return query
  select null::timestamptz, null::timestamptz,
         r.id, r.uuid, r.version_id, r.priority, r.input, r.available_at, c.claims,
         null::boolean, null::integer[],
         null::integer, null::text, null::smallint, null::smallint, null::smallint, null::jsonb, null::text,
         null::bigint[], null::bigint[], null::text[], c.begun, r.parent_run is not null
  from unnest(v_claimed, v_claims, v_begun) as c(run_id, claims, begun)
  join weir.run r on r.id = any (array[c.run_id])
  order by r.priority desc, r.id;
  if v_notified is not null then
    return query
    select null::timestamptz, null::timestamptz, t.run_id, n.child, null::integer, null::smallint, null::jsonb,
           null::timestamptz, null::integer, null::boolean, null::integer[],
           n.news, n.cancel_reason, n.step, n.attempt, n.status, n.value, n.error,
           null::bigint[], null::bigint[], null::text[], null::smallint, null::boolean
    from unnest(v_notified, v_heard) as t(run_id, heard)
    cross join lateral (
      select null::uuid, o.news, o.cancel_reason, null::smallint, null::smallint, null::smallint, null::jsonb,
             null::text
      from weir.open_run o
      where o.run_id = any (array[t.run_id])
      union all
      select null, 0, null, s.step, null, null, s.payload, null
      from weir.sent_signal s
      where s.run_id = any (array[t.run_id]) and s.payload is not null and s.news > t.heard
        and (not p_changes
             or not exists (select from weir.journal j
                            where j.run_id = s.run_id and j.step = s.step and j.outcome = weir.outcome('completed')))
      union all
      select c.uuid, 0, null, c.parent_step, c.parent_attempt, c.status, c.output, c.error
      from weir.run c
      where c.parent_run = any (array[t.run_id]) and c.parent_news > t.heard
        and (not p_changes
             or not exists (select from weir.journal j
                            where j.run_id = c.parent_run and j.step = c.parent_step and j.task_index = 0
                              and j.attempt = c.parent_attempt))
    ) as n(child, news, cancel_reason, step, attempt, status, value, error);
  end if;
end $$;
comment on function weir.exchange is
  'the one call of a worker: what it settled, ended, released, acknowledges and runs; and what it claims';

-- The whole engine: conditions, waits and child runs; what people tell a run; limits and schedules; wide work that
-- is shared; journal rows in partitions.

-- Definition: a step's conditions, and what the two new kinds of steps wait for.
alter table weir.step
  add column only_if        jsonb,
  add column unless         jsonb,
  add column when_unmet     text not null default 'skip' check (when_unmet in ('fail', 'skip', 'skip_cascade')),
  add column when_exhausted text not null default 'fail' check (when_exhausted in ('fail', 'skip', 'skip_cascade')),
  add column signal         text check (octet_length(signal) between 1 and 128),
  add column child_flow     text check (child_flow ~ '^[A-Za-z_][A-Za-z0-9_]*$' and octet_length(child_flow) <= 128),
  add check ((kind = 'wait') = (signal is not null)),
  add check ((kind = 'flow') = (child_flow is not null)),
  add check (kind <> 'flow' or cardinality(depends_on) <= 1);
comment on column weir.step.signal is 'of a wait: the name of the signal that ends it';
comment on column weir.step.child_flow is 'of a flow step: the slug of the flow it starts';

-- Facts beside attempts: a step that was skipped (task 0, attempt 0), a task that is tried anew by command.
alter table weir.journal drop constraint journal_attempt_check, drop constraint journal_outcome_check;
alter table weir.journal add constraint journal_attempt_check check (attempt >= 0),
  add constraint journal_outcome_check check (outcome between 1 and 8);
comment on column weir.journal.outcome is
  '1 completed, 2 failed, 3 failed for good, 4 timed out, 5 lost with its worker, 6 cancelled, 7 skipped, 8 retried';
comment on column weir.journal.error_code is 'a stable word; of a skipped step the skip reason';

-- What people and other runs tell a run. Its worker hears of it when news > news_heard.
alter table weir.flow add column paused_at timestamptz;
alter table weir.run
  add column note           text,
  add column parent_run     bigint,
  add column parent_step    smallint,
  add column parent_attempt smallint;
create unique index run_child on weir.run (parent_run, parent_step, parent_attempt) where parent_run is not null;
comment on column weir.run.note is 'of a completed run without output: why there is none';
alter table weir.open_run
  add column news          integer not null default 0,
  add column news_heard    integer not null default 0,
  add column cancel_reason text;
create index open_run_news on weir.open_run (worker_id) where news > news_heard;
comment on column weir.open_run.news is 'how often anybody told it something: a cancel, a signal, the end of a child';
comment on column weir.open_run.cancel_reason is 'it is to end as cancelled: its worker does it';

create table weir.sent_signal (
  run_id  bigint not null,
  step    smallint not null,
  payload jsonb,
  sent_at timestamptz not null default now(),
  primary key (run_id, step)
);
comment on table weir.sent_signal is 'the one signal that each wait step of a run was sent, begun or not (C4); without payload: too late, its time is over';

create table weir.listening (
  id    bigint generated always as identity primary key,
  until timestamptz not null
);
comment on table weir.listening is 'who listens to channel weir_events, until when: nobody, no notification';

-- What a worker says and hears.
create index flow_paused on weir.flow (id) where paused_at is not null;
drop function if exists weir.exchange(
  bigint, bigint, bigint,
  bigint[], smallint[], integer[], smallint[], smallint[], jsonb[], text[], text[], bigint[], timestamptz[], timestamptz[],
  integer[],
  bigint[], smallint[], jsonb[], text[], smallint[],
  bigint[], timestamptz[],
  bigint[], smallint[], integer[], smallint[], integer[],
  integer[], integer);  -- it takes more

-- Wide work that is shared (L7): ranges of map elements, in each of which one attempt is to be made. What the
-- journal has of them is over; who decides about further attempts is the run's owner.
create table weir.share (
  id          bigint generated always as identity primary key,
  run_id      bigint not null,
  version_id  integer not null,
  priority    smallint not null,
  step        smallint not null,
  attempt     smallint not null check (attempt >= 1),
  first_index integer not null check (first_index >= 0),
  last_index  integer not null check (last_index >= first_index),
  open        integer not null,
  inputs      jsonb not null,
  worker_id   bigint,
  taken_at    timestamptz,
  created_at  timestamptz not null default now(),
  unique (run_id, step, first_index, attempt),
  check ((worker_id is null) = (taken_at is null))
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
create index share_to_be_had on weir.share (version_id, priority desc, id) where worker_id is null;
create index share_held on weir.share (worker_id) where worker_id is not null;
comment on table weir.share is 'ranges of the elements of wide maps that the owner of the run offers, and others take (L7)';
comment on column weir.share.attempt is 'the number of the attempt to be made in each element';
comment on column weir.share.open is 'how many elements were not settled when it was offered, taken or settled last';
comment on column weir.share.inputs is 'an array: the input of each element from first_index to last_index';
comment on column weir.share.worker_id is 'who runs it; null: it is to be had';

create table weir.share_news (
  id      bigint generated always as identity primary key,
  run_id  bigint not null,
  step    smallint not null,
  attempt smallint not null,
  indexes integer[] not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
create index share_news_run on weir.share_news (run_id);
comment on table weir.share_news is 'attempts of shared elements that stand in the journal, until the owner of the run has heard of them';

create function weir.end_shares_of_runs() returns trigger
language plpgsql as $$ begin return null; end $$;  -- schemas/functions has its body
create trigger open_run_over after delete on weir.open_run
  referencing old table as gone for each statement execute function weir.end_shares_of_runs();
comment on trigger open_run_over on weir.open_run is 'whichever way a run ends, nothing of it is shared any more';

-- Schedules: what weir.tick starts.
create table weir.schedule (
  id         integer generated always as identity primary key,
  name       text not null unique check (octet_length(name) between 1 and 128),
  flow       text not null check (flow ~ '^[A-Za-z_][A-Za-z0-9_]*$' and octet_length(flow) <= 128),
  cron       text not null,
  time_zone  text not null,
  input      jsonb not null,
  priority   smallint not null check (priority between -100 and 100),
  tags       text[] not null,
  missed     text not null check (missed in ('run', 'skip')),
  paused     boolean not null,
  next_at    timestamptz not null,
  last_at    timestamptz,
  last_run   uuid,
  waits_for  text,
  error      text,
  created_at timestamptz not null default now()
);
create index schedule_due on weir.schedule (next_at) where not paused;
comment on table weir.schedule is 'flows that are started by a cron expression (C5); weir.schedules shows them';
comment on column weir.schedule.missed is 'what becomes of ticks that nobody started in time: one run for all of them, or none';
comment on column weir.schedule.next_at is 'the tick that is to be started next; of a paused one it means nothing';
comment on column weir.schedule.last_at is 'the tick that was started last, and last_run its run';
comment on column weir.schedule.waits_for is 'why the tick at next_at could not be started yet';
comment on column weir.schedule.error is 'why the last tick was refused';

create function weir.flow_came() returns trigger
language plpgsql as $$ begin return null; end $$;  -- schemas/functions has its body
create trigger version_came after insert on weir.version for each statement execute function weir.flow_came();
comment on trigger version_came on weir.version is 'a schedule may have waited for it';

-- Limits: how many runs of a flow, and of one key of its input, are held at once and handed out in a time (C6).
create table weir.flow_limit (
  flow_id         integer primary key references weir.flow,
  max_running     integer check (max_running >= 1),
  rate            integer check (rate >= 1),
  rate_per        interval check (rate_per > '0'),
  key             text,
  key_path        text[],
  key_max_running integer check (key_max_running >= 1),
  key_rate        integer check (key_rate >= 1),
  key_rate_per    interval check (key_rate_per > '0'),
  by_config       boolean not null,
  tat             timestamptz,
  turn            text not null default '',
  set_at          timestamptz not null default clock_timestamp(),
  settled_by      xid8,
  settled         boolean not null default false,
  check ((rate is null) = (rate_per is null)),
  check ((key_rate is null) = (key_rate_per is null)),
  check ((key is null) = (key_path is null)),
  check (key is not null or (key_max_running is null and key_rate is null))
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
comment on table weir.flow_limit is 'limits of flows that have any; locked by whoever hands out runs of the flow';
comment on column weir.flow_limit.key is 'a JSON pointer into the run''s input; key_path is the same as an array';
comment on column weir.flow_limit.by_config is 'it came from a flows.yaml, and goes when that says nothing any more';
comment on column weir.flow_limit.tat is 'when the rate would be used up to nothing, were nothing more handed out (GCRA)';
comment on column weir.flow_limit.turn is 'the key that was served last: the next one has its turn';
comment on column weir.flow_limit.settled is 'every open run of the flow has its key; until then weir.settle_limits looks';

create table weir.key_rate (
  flow_id integer not null,
  key     text not null,
  tat     timestamptz not null,
  primary key (flow_id, key)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
create index key_rate_over on weir.key_rate (tat);
comment on table weir.key_rate is 'flow_limit.tat for each key; a row whose time is over means nothing';

alter table weir.open_run
  add column limit_flow integer,
  add column limit_key  text;
create index open_run_limited on weir.open_run (limit_flow, limit_key) where worker_id is not null and limit_flow is not null;
create index open_run_keyed on weir.open_run (version_id, limit_key, priority desc, run_id)
  where worker_id is null and wake_at is null and limit_key is not null;
comment on column weir.open_run.limit_flow is 'of a run that was handed out under limits: its flow';
comment on column weir.open_run.limit_key is 'of a flow whose limits have a key: = and what stands there in the input, or - for nothing';

create function weir.key_added() returns trigger
language plpgsql as $$ begin return null; end $$;  -- schemas/functions has its body
create function weir.place_freed() returns trigger
language plpgsql as $$ begin return null; end $$;
create trigger open_run_added after insert on weir.open_run
  referencing new table as added for each statement execute function weir.key_added();
comment on trigger open_run_added on weir.open_run is 'whichever way a run is opened, it has the key that its flow''s limits ask for';
create trigger open_run_place_ended after delete on weir.open_run
  for each row when (old.worker_id is not null and old.limit_flow is not null) execute function weir.place_freed();
create trigger open_run_place_left after update of worker_id on weir.open_run
  for each row when (old.worker_id is not null and new.worker_id is null and old.limit_flow is not null)
  execute function weir.place_freed();
comment on trigger open_run_place_ended on weir.open_run is 'a place is free: others may have waited for it';
comment on trigger open_run_place_left on weir.open_run is 'a place is free: others may have waited for it';

-- Runs of a flow by age, for people who look.
create index run_of_version on weir.run (version_id, id);

-- What the tables are, for people who look at them.
comment on table weir.flow is 'every slug that a worker ever registered';
comment on table weir.version is 'the distinct definitions of each flow, numbered';
comment on table weir.step is 'the steps of each version';
comment on table weir.plugin is 'the files whose code ran attempts';
comment on table weir.worker is 'every worker that joined: its lease, and what it runs';
comment on table weir.run is 'every run, one row for as long as it is kept; weir.runs shows them';
comment on table weir.open_run is 'runs that are not over: small and hot';
comment on table weir.idempotency is 'which run each idempotency key of a flow started (S4)';
comment on table weir.migration is 'the migrations that were applied';
comment on table weir.schema_code is 'which program''s functions and views stand here';

create function weir.drop_code() returns void
language plpgsql as $$ begin end $$;  -- schemas/functions has its body

-- The journal in partitions by run, so that old ones can go as a whole (C7). Last, for whatever else changed of it.
create table weir.upkeep (
  singleton boolean primary key default true check (singleton),
  prune_at  timestamptz not null default now()
);
insert into weir.upkeep default values;
comment on table weir.upkeep is 'when a process is to look for what is old next: one of them does, not all';

drop view if exists weir.attempts;
alter table weir.journal rename to journal_before;
alter table weir.journal_before drop constraint journal_pkey;
create table weir.journal (like weir.journal_before including constraints including comments) partition by range (run_id);
alter table weir.journal add primary key (run_id, step, task_index, attempt);
comment on table weir.journal is
  'one row for every ended attempt; rows are never changed. In partitions of weir.journal_range() runs each';
create table weir.journal_rest partition of weir.journal default;
comment on table weir.journal_rest is 'for runs whose partition does not exist: a net, empty as long as somebody keeps house';
create function weir.journal_range() returns bigint
language sql immutable parallel safe as $$ select 10000000::bigint $$;  -- the same as in schemas/functions
do $$
begin
  for number in 0 .. coalesce((select max(r.id) from weir.run r), 0) / weir.journal_range() + 1 loop
    execute format('create table weir.journal_%s partition of weir.journal for values from (%s) to (%s)',
                   number, number * weir.journal_range(), (number + 1) * weir.journal_range());
  end loop;
end $$;
insert into weir.journal select * from weir.journal_before;
drop table weir.journal_before;

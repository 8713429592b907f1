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
  payload jsonb not null,
  sent_at timestamptz not null default now(),
  primary key (run_id, step)
);
comment on table weir.sent_signal is 'the one signal that each wait step of a run was sent, begun or not (C4)';

create table weir.listening (
  id    bigint generated always as identity primary key,
  until timestamptz not null
);
comment on table weir.listening is 'who listens to channel weir_events, until when: nobody, no notification';

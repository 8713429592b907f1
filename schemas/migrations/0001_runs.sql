-- Runs and what is known of them. Facts are appended to weir.journal and never changed; weir.open_run is
-- small and hot, and holds only runs that are not over; weir.run keeps one row a run for as long as
-- retention says. Inside, flows, steps and workers are small integers; names and UUIDs stand at the edge.

create table weir.flow (
  id         integer generated always as identity primary key,
  slug       text not null check (slug ~ '^[A-Za-z_][A-Za-z0-9_]*$' and octet_length(slug) <= 128 and lower(slug) <> 'run'),
  created_at timestamptz not null default now()
);
create unique index flow_slug on weir.flow (lower(slug));

create table weir.version (
  id              integer generated always as identity primary key,
  flow_id         integer not null references weir.flow,
  number          integer not null check (number >= 1),
  module          text not null check (octet_length(module) between 1 and 255),
  fingerprint     text not null check (fingerprint ~ '^[0-9a-f]{64}$'),
  definition      jsonb not null,
  input_schema    jsonb,
  maps_over_input boolean not null,
  created_at      timestamptz not null default now(),
  unique (flow_id, number),
  unique (flow_id, fingerprint)
);
comment on column weir.version.definition is 'the canonical form that the fingerprint is taken over';

create table weir.step (
  version_id       integer not null references weir.version,
  position         smallint not null check (position between 0 and 1023),
  slug             text not null check (slug ~ '^[A-Za-z_][A-Za-z0-9_]*$' and octet_length(slug) <= 128 and lower(slug) <> 'run'),
  kind             text not null check (kind in ('single', 'map', 'wait', 'flow')),
  depends_on       smallint[] not null,
  counted_by       smallint,
  max_attempts     bigint not null check (max_attempts between 1 and 1000),
  base_delay_ms    bigint not null check (base_delay_ms between 0 and 86400000),
  max_delay_ms     bigint not null check (max_delay_ms between 0 and 31536000000),
  timeout_ms       bigint not null check (timeout_ms between 1 and 2592000000),
  start_delay_ms   bigint not null check (start_delay_ms between 0 and 31536000000),
  max_output_bytes bigint not null check (max_output_bytes between 1 and 268435456),
  primary key (version_id, position),
  check (kind <> 'map' or cardinality(depends_on) <= 1),
  check (position > all (depends_on))
);
create unique index step_slug on weir.step (version_id, lower(slug));
comment on column weir.step.position is 'canonical order: dependencies first, ties by slug';
comment on column weir.step.counted_by is 'of a map: the single step whose output has one element a task; null: the run''s input';

create table weir.plugin (
  id      integer generated always as identity primary key,
  sha256  text not null unique check (sha256 ~ '^[0-9a-f]{64}$'),
  path    text not null,
  seen_at timestamptz not null default now()
);

create table weir.worker (
  id                bigint generated always as identity primary key,
  host              text not null,
  pid               integer not null,
  slots             integer not null check (slots >= 1),
  started_at        timestamptz not null default now(),
  lease_until       timestamptz not null,
  sequence          bigint not null default 0,
  idle              boolean not null default false,
  in_flight_run     bigint[] not null default '{}',
  in_flight_step    smallint[] not null default '{}',
  in_flight_index   integer[] not null default '{}',
  in_flight_attempt smallint[] not null default '{}',
  ended_at          timestamptz,
  end_reason        text check (end_reason in ('left', 'lapsed')),
  check ((ended_at is null) = (end_reason is null))
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
create index worker_alive on weir.worker (id) where ended_at is null;
comment on column weir.worker.sequence is 'number of its last exchange: tells a worker that lost the answer whether the call was committed';
comment on column weir.worker.idle is 'it asked for runs and got fewer than it had room for: tell it when there are new ones';

create table weir.run (
  id              bigint generated always as identity primary key,
  uuid            uuid not null unique,
  version_id      integer not null,
  status          smallint not null default 0 check (status between 0 and 3),
  priority        smallint not null check (priority between -100 and 100),
  input           jsonb not null,
  output          jsonb,
  error           text,
  failed_step     smallint,
  idempotency_key text,
  tags            text[] not null default '{}',
  created_at      timestamptz not null default now(),
  available_at    timestamptz not null,
  started_at      timestamptz,
  ended_at        timestamptz,
  check ((status = 0) = (ended_at is null))
) with (fillfactor = 85);
comment on column weir.run.status is '0 open (weir.open_run tells more), 1 completed, 2 failed, 3 cancelled';

create table weir.open_run (
  run_id     bigint primary key,
  version_id integer not null,
  priority   smallint not null,
  wake_at    timestamptz,
  worker_id  bigint,
  claimed_in bigint,
  claims     integer not null default 0,
  started_at timestamptz
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
create index open_run_claimable on weir.open_run (version_id, priority desc, run_id) where worker_id is null and wake_at is null;
create index open_run_asleep on weir.open_run (wake_at) where worker_id is null and wake_at is not null;
comment on column weir.open_run.claimed_in is 'the sequence of the exchange in which worker_id took it';

create table weir.idempotency (
  flow_id integer not null,
  key     text not null check (octet_length(key) between 1 and 255),
  run_id  bigint not null,
  primary key (flow_id, key)
);

create table weir.journal (
  run_id         bigint not null,
  step           smallint not null,
  task_index     integer not null,
  attempt        smallint not null check (attempt >= 1),
  outcome        smallint not null check (outcome between 1 and 6),
  output         jsonb,
  error_code     text,
  error          text,
  retry_after_ms bigint,
  started_at     timestamptz not null,
  ended_at       timestamptz not null,
  worker_id      bigint not null,
  plugin_id      integer,
  primary key (run_id, step, task_index, attempt)
);
comment on table weir.journal is 'one row for every ended attempt; rows are never changed';
comment on column weir.journal.outcome is '1 completed, 2 failed, 3 failed for good, 4 timed out, 5 lost with its worker, 6 cancelled';

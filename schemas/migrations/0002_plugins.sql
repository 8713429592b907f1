-- What changes while runs are open: which versions workers can run, runs that go on with another version, the
-- plugin files of live processes, and workers that crashed.

alter table weir.worker add column in_flight_plugin integer[] not null default '{}';
comment on column weir.worker.in_flight_plugin is 'with in_flight_run: the weir.plugin whose code runs each attempt; null: built into the program';
drop function if exists weir.exchange(
  bigint, bigint, bigint,
  bigint[], smallint[], integer[], smallint[], smallint[], jsonb[], text[], text[], bigint[], timestamptz[], timestamptz[],
  integer[],
  bigint[], smallint[], jsonb[], text[], smallint[],
  bigint[], timestamptz[],
  bigint[], smallint[], integer[], smallint[],
  integer[], integer);  -- it takes one more

alter table weir.worker drop constraint worker_end_reason_check;
alter table weir.worker add constraint worker_end_reason_check check (end_reason in ('left', 'lapsed', 'crashed'));
comment on column weir.worker.end_reason is 'left: it drained; lapsed: its lease ran out; crashed: its process ended by a signal';

create table weir.serving (
  worker_id   bigint primary key,
  version_ids integer[] not null,
  plugin_ids  integer[] not null,
  check (cardinality(version_ids) = cardinality(plugin_ids))
);
comment on table weir.serving is 'which versions each worker can run, and with which plugin (null: built into the program); told when that changes';

create table weir.adoption (
  from_version integer primary key references weir.version,
  to_version   integer not null references weir.version,
  created_at   timestamptz not null default now(),
  check (from_version <> to_version)
);
comment on table weir.adoption is 'runs of from_version that no worker holds go on with to_version, which is nobody''s from_version (V3)';

create table weir.plugin_report (
  host        text not null,
  pid         integer not null,
  started_at  timestamptz not null,
  plugins     jsonb not null check (jsonb_typeof(plugins) = 'array'),
  reported_at timestamptz not null default now(),
  primary key (host, pid, started_at)
);
comment on table weir.plugin_report is 'the plugin files each process knows, as it told last; weir.plugins shows them';

create function weir.follow_adoption() returns trigger
language plpgsql as $$ begin return new; end $$;  -- schemas/functions has its body
create trigger open_run_let_go before update of worker_id on weir.open_run
  for each row when (old.worker_id is not null and new.worker_id is null) execute function weir.follow_adoption();
comment on trigger open_run_let_go on weir.open_run is 'whichever way a worker loses a run, a rule of weir.adoption holds';

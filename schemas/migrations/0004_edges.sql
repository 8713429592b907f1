-- Every call of a worker locks its row here first: so nobody is swept while calls wait for this migration, and no call
-- holds what it needs.
lock table weir.worker in access exclusive mode;

-- What a run is told once and not with each notification again: each signal and each end of a child run has the number
-- of its notification.
alter table weir.run add column parent_news integer;
comment on column weir.run.parent_news is
  'of a child run that ended: the parent''s news that tells of it; null where the parent was over';
create index run_child_news on weir.run (parent_run, parent_news) where parent_news is not null;
alter table weir.sent_signal add column news integer;
comment on column weir.sent_signal.news is 'the run''s news that tells of it';

update weir.run c
set parent_news = o.news
from weir.open_run o
where o.run_id = c.parent_run and c.status <> 0;
update weir.sent_signal s
set news = o.news
from weir.open_run o
where o.run_id = s.run_id and s.payload is not null;

drop function if exists weir.exchange(
  bigint, bigint, bigint,
  bigint[], smallint[], integer[], smallint[], smallint[], jsonb[], text[], text[], bigint[], timestamptz[], timestamptz[],
  integer[],
  bigint[], smallint[], jsonb[], text[], smallint[], text[],
  bigint[], timestamptz[],
  bigint[], integer[],
  bigint[], text[],
  bigint[], smallint[], integer[], smallint[], integer[],
  integer[], integer);  -- it takes more

-- What a worker holds is found by its key: when it ends, when it repeats a call, and by weir.workers.
create index open_run_held on weir.open_run (worker_id) where worker_id is not null;

-- What follows when runs are opened, released and ended is done by the functions that do so, for all of them at once.
drop trigger open_run_let_go on weir.open_run;
drop trigger open_run_over on weir.open_run;
drop trigger open_run_added on weir.open_run;
drop trigger open_run_place_ended on weir.open_run;
drop trigger open_run_place_left on weir.open_run;
drop function weir.follow_adoption();
drop function weir.end_shares_of_runs();
drop function weir.key_added();
drop function weir.place_freed();

-- Room beside each run for what it is when it has ended: then its end changes no index. A batch that ends together began
-- together, on the same pages, so there is room for all of them.
alter table weir.run set (fillfactor = 40);

-- For people who look: runs that did not complete, and tagged ones, are found without reading the others. A column of
-- its own for the status in the index: when a run completes, which most do, no index changes.
alter table weir.run
  add column not_completed smallint generated always as (case when status in (2, 3) then status end) stored;
create index run_not_completed on weir.run (version_id, not_completed, id) where not_completed is not null;
comment on column weir.run.not_completed is 'status of a run that failed or was cancelled; null for others';
create index run_tagged on weir.run using gin (tags) where tags <> '{}';

-- What a worker has in flight is written anew with each of its calls: to compress it took longer than to write it.
alter table weir.worker
  alter column in_flight_run set storage external, alter column in_flight_step set storage external,
  alter column in_flight_index set storage external, alter column in_flight_attempt set storage external,
  alter column in_flight_plugin set storage external;

-- Attempts that ran in a process whose crash names nobody: suspects, until each has run again in a trial (F10).
alter table weir.worker add column trial_of bigint[], add column keeps_runs boolean not null default false;
comment on column weir.worker.trial_of is 'of a worker that holds a trial: the crashed workers whose runs it takes over';
comment on column weir.worker.keeps_runs is
  'of a crashed worker: it still holds runs and shares of suspects, until a trial takes them over or lease_until';
create index worker_keeps_runs on weir.worker (id) where keeps_runs;

-- What SQL checks of a run's input (S3), in a form that is fast. A worker that registers the version writes it.
alter table weir.version add column input_path jsonpath;
comment on column weir.version.input_path is
  'holds for inputs that fit input_schema as far as SQL checks it; others need a closer look, all where it is null';
-- Which versions starts are for (V5): what workers can run, a row for each, found by version.
alter table weir.serving rename to serving_before;
create table weir.serving (
  version_id integer not null,
  worker_id  bigint not null,
  plugin_id  integer,
  barred     boolean not null default false,
  offered    boolean not null default true,
  claims     boolean not null default true,
  first_step smallint,
  primary key (version_id, worker_id)
);
insert into weir.serving (version_id, worker_id, plugin_id)
select distinct on (v.version_id, s.worker_id) v.version_id, s.worker_id, v.plugin_id
from weir.serving_before s
cross join lateral unnest(s.version_ids, s.plugin_ids) as v(version_id, plugin_id);
drop table weir.serving_before;
create index serving_worker on weir.serving (worker_id);
comment on table weir.serving is 'which versions each worker has, and with which plugin (null: built into the program)';
comment on column weir.serving.barred is 'its plugin is in quarantine there: no run of it is begun';
comment on column weir.serving.offered is 'new runs may take it; false: it is there for open runs only';
comment on column weir.serving.claims is 'the worker claims runs; false: it only takes shares';
comment on column weir.serving.first_step is
  'a step with which every run of the version begins at once: a claim may state it as in flight; null: none';
alter table weir.flow add column last_offered integer;
comment on column weir.flow.last_offered is
  'the newest version that was offered last: starts take it while no worker is alive';

-- Since when the database can be reached. Unlogged: whatever loses commits, a crash of the server or a standby that takes
-- over, leaves this empty; weir.notice_outage finds that, and a restart.
create unlogged table weir.uptime (
  singleton      boolean primary key default true check (singleton),
  server_started timestamptz not null,
  since          timestamptz not null,
  swept_at       timestamptz not null
);
comment on table weir.uptime is 'since when the database can be reached; emptied by whatever may have lost commits';
comment on column weir.uptime.since is 'when the first worker was heard: leases count from then (L1)';
comment on column weir.uptime.swept_at is 'when somebody swept last: long ago, if nobody could reach the database';
alter table weir.worker
  add column lease    interval not null default '15 s',
  add column spared   boolean not null default false,
  add column timeline text not null default substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8);
-- Parents waited for their child runs until a notification, which a standby that takes over may not have.
update weir.open_run o set wake_at = clock_timestamp()
where o.wake_at >= '9999-12-31 00:00+00'
  and exists (select from weir.run r join weir.open_run c on c.run_id = r.id where r.parent_run = o.run_id);
comment on column weir.worker.timeline is
  'of the server''s log when it joined: behind a standby that has taken over it can only leave';
comment on column weir.worker.lease is 'how long its lease is; 0: it has left or was declared dead, and holds what is locked';
comment on column weir.worker.spared is
  'it was given its lease anew because nobody had swept for long; once, until it is heard';

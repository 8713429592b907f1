create or replace view weir.shares as
select s.id as share_id, r.uuid as run_id, f.slug as flow, v.number as version, t.slug as step, s.attempt,
       s.first_index, s.last_index, s.open, s.worker_id, s.created_at, s.taken_at
from weir.share s
join weir.run r on r.id = s.run_id
join weir.version v on v.id = s.version_id
join weir.flow f on f.id = v.flow_id
join weir.step t on t.version_id = s.version_id and t.position = s.step;
comment on view weir.shares is 'ranges of wide maps that the workers of runs offer, or that other workers hold (L7)';
comment on column weir.shares.share_id is 'number of the share';
comment on column weir.shares.run_id is 'UUID of the run';
comment on column weir.shares.flow is 'slug of the flow';
comment on column weir.shares.version is 'version of the flow';
comment on column weir.shares.step is 'slug of the map';
comment on column weir.shares.attempt is 'the number of the attempt to be made of each element';
comment on column weir.shares.first_index is 'the first element';
comment on column weir.shares.last_index is 'the last element';
comment on column weir.shares.open is
  'how many elements were not settled when it was most recently offered, taken or settled';
comment on column weir.shares.worker_id is 'the worker that runs it; null: it is available';
comment on column weir.shares.created_at is 'when it was offered';
comment on column weir.shares.taken_at is 'when its worker took it';

create or replace view weir.signals as
select r.uuid as run_id, f.slug as flow, s.slug as step, s.signal as name, t.payload, t.sent_at,
       j.ended_at as heard_at
from weir.sent_signal t
join weir.run r on r.id = t.run_id
join weir.version v on v.id = r.version_id
join weir.flow f on f.id = v.flow_id
join weir.step s on s.version_id = r.version_id and s.position = t.step
left join weir.journal j on j.run_id = t.run_id and j.step = t.step and j.outcome = weir.outcome('completed')
where t.payload is not null;
comment on view weir.signals is 'every signal that was sent to a run, at most one for each wait step';
comment on column weir.signals.run_id is 'UUID of the run';
comment on column weir.signals.flow is 'slug of its flow';
comment on column weir.signals.step is 'slug of the wait step that it ends';
comment on column weir.signals.name is 'name of the signal';
comment on column weir.signals.payload is 'the payload that was sent with it';
comment on column weir.signals.sent_at is 'when it was sent';
comment on column weir.signals.heard_at is
  'when the wait ended by it; null: it has not ended yet, or the run ended before';

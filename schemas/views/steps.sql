create or replace view weir.steps as
select r.uuid as run_id, f.slug as flow, s.*
from weir.run r
join weir.version v on v.id = r.version_id
join weir.flow f on f.id = v.flow_id
cross join lateral weir.steps_of(r.id) as s;
comment on view weir.steps is
  'the steps of every run: waiting, ready, running, completed, failed, skipped or cancelled; ask for one run_id at a time';

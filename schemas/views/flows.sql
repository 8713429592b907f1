create or replace view weir.flows as
select f.slug as flow, n.number as version, n.module, n.fingerprint, n.input_schema,
       f.paused_at is not null as paused, f.paused_at, f.created_at
from weir.flow f
join weir.version n on n.id = weir.version_for_starts(f.id);
comment on view weir.flows is 'every flow that a worker has ever loaded, with the version that starts take';
comment on column weir.flows.flow is 'slug of the flow';
comment on column weir.flows.version is 'the version that a start without a version gets';
comment on column weir.flows.module is 'the dotted name under which it is registered';
comment on column weir.flows.fingerprint is 'SHA-256 of that version''s definition in canonical form';
comment on column weir.flows.input_schema is 'a JSON schema that inputs must satisfy; null: any value';
comment on column weir.flows.paused is 'no run of it is begun until weir.resume';
comment on column weir.flows.paused_at is 'since when it is paused';
comment on column weir.flows.created_at is 'when a worker loaded it first';

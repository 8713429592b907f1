create or replace view weir.definitions as
select f.slug as flow, v.number as version, v.module, v.fingerprint, v.definition, v.input_schema, v.created_at
from weir.version v
join weir.flow f on f.id = v.flow_id;
comment on view weir.definitions is 'every version of every flow as it was defined';
comment on column weir.definitions.flow is 'slug of the flow';
comment on column weir.definitions.version is 'counted from 1 for each flow';
comment on column weir.definitions.module is 'the dotted name under which it was registered most recently';
comment on column weir.definitions.fingerprint is 'SHA-256 of the definition';
comment on column weir.definitions.definition is 'its steps and options in canonical form';
comment on column weir.definitions.input_schema is 'a JSON schema that inputs must satisfy; null: any value';
comment on column weir.definitions.created_at is 'when a worker loaded it first';

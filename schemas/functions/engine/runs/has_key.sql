-- Whether a key has a run of a flow (S4); false where it is null.
create or replace function weir.has_key(p_flow integer, p_key text) returns boolean
language sql stable
return exists (select from weir.idempotency k where k.flow_id = p_flow and k.key = p_key);
comment on function weir.has_key is 'whether a key has a run of a flow';

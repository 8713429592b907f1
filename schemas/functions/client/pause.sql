-- From now on nothing of a flow is claimed or begun (C2); what runs ends, and new runs wait. Returns false when
-- it was paused. Errors: WR002 no such flow.
create or replace function weir.pause(flow text) returns boolean
language sql as $$ select weir.set_paused($1, true) $$;
comment on function weir.pause is 'from now on nothing of a flow is begun; false: it was so';

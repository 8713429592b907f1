-- Lets runs of a paused flow be claimed and begun again (C2). Returns false when the flow was not paused.
-- Errors: WR002 no such flow.
create or replace function weir.resume(flow text) returns boolean
language sql as $$ select weir.set_paused($1, false) $$;
comment on function weir.resume is 'lets runs of a paused flow be begun again; false: it was not paused';

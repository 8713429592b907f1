-- A paused flow goes on (C2). Returns false when it was not paused. Errors: WR002 no such flow.
create or replace function weir.resume(flow text) returns boolean
language sql as $$ select weir.set_paused($1, false) $$;
comment on function weir.resume is 'a paused flow goes on; false: it was not paused';

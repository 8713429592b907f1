-- Stops runs of a flow from being claimed or begun (C2). Attempts that are running finish, and new runs wait. Returns
-- false when the flow was paused already. Errors: WR002 no such flow.
create or replace function weir.pause(flow text) returns boolean
language sql as $$ select weir.set_paused($1, true) $$;
comment on function weir.pause is 'stops runs of a flow from being begun; false: it was paused already';

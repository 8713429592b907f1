-- The row of a run by its UUID. Errors: WR002 there is none.
create or replace function weir.run_by_uuid(p_run_id uuid) returns weir.run
language plpgsql stable
set jit = off set enable_seqscan = off
as $$
declare
  v_run weir.run%rowtype;
begin
  select * into v_run from weir.run r where r.uuid = p_run_id;
  if not found then
    raise exception 'no run % in this database', coalesce(p_run_id::text, 'null') using errcode = 'WR002',
      hint = 'weir.runs lists the runs';
  end if;
  return v_run;
end $$;
comment on function weir.run_by_uuid is 'the row of a run by its UUID';

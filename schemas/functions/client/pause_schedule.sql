-- Stops a schedule from starting runs until weir.resume_schedule. Returns false when it was paused already.
-- Errors: WR002 no such schedule.
create or replace function weir.pause_schedule(name text) returns boolean
language plpgsql as $$
begin
  update weir.schedule s set paused = true, waits_for = null where s.name = pause_schedule.name and not s.paused;
  if found then return true; end if;
  if not exists (select from weir.schedule s where s.name = pause_schedule.name) then
    raise exception 'no schedule "%"', name using errcode = 'WR002',
      hint = coalesce((select 'schedules: ' || string_agg(s.name, ', ' order by s.name) from weir.schedule s),
                      'there is none yet');
  end if;
  return false;
end $$;
comment on function weir.pause_schedule is 'stops a schedule from starting runs; false: it was paused already';

-- A paused schedule continues with its next tick; the ticks that were due while it was paused are skipped. Returns
-- false when it was not paused. Errors: WR002 no such schedule.
create or replace function weir.resume_schedule(name text) returns boolean
language plpgsql as $$
begin
  update weir.schedule s
  set paused = false, error = null, next_at = weir.cron_next(s.cron, s.time_zone, clock_timestamp())
  where s.name = resume_schedule.name and s.paused;
  if found then
    perform pg_notify('weir_schedules', '');
    return true;
  end if;
  if not exists (select from weir.schedule s where s.name = resume_schedule.name) then
    raise exception 'no schedule "%"', name using errcode = 'WR002',
      hint = coalesce((select 'schedules: ' || string_agg(s.name, ', ' order by s.name) from weir.schedule s),
                      'there is none yet');
  end if;
  return false;
end $$;
comment on function weir.resume_schedule is 'a paused schedule continues with its next tick; false: it was not paused';

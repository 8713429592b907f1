-- The first instant at which it is a certain local time in a time zone. Of a local time that exists twice, because
-- clocks are set back, it is the first; for one that does not exist, because they are set forward, the next that does.
create or replace function weir.first_instant(p_local timestamp, p_time_zone text) returns timestamptz
language plpgsql stable parallel safe as $$
declare
  v_at      timestamptz := p_local at time zone p_time_zone;  -- of two the later; in a gap, by v_gap after it
  v_gap     interval    := (v_at at time zone p_time_zone) - p_local;
  v_earlier timestamptz;
  v_before  integer;  -- seconds before v_at: at v_before clocks were not yet set forward, at v_after they were
  v_after   integer;
  v_middle  integer;
begin
  if v_gap = interval '0' then
    v_earlier := v_at - interval '1 day';
    v_earlier := (p_local - ((v_earlier at time zone p_time_zone) - (v_earlier at time zone 'UTC')))
                 at time zone 'UTC';
    return case when v_earlier < v_at and v_earlier at time zone p_time_zone = p_local then v_earlier else v_at end;
  end if;
  v_before := extract(epoch from v_gap)::integer;
  v_after := 0;
  while v_before - v_after > 1 loop
    v_middle := (v_before + v_after) / 2;
    if (v_at - v_middle * interval '1 second') at time zone p_time_zone < p_local then
      v_before := v_middle;
    else
      v_after := v_middle;
    end if;
  end loop;
  return v_at - v_after * interval '1 second';
end $$;
comment on function weir.first_instant is
  'the first instant of a local time in a time zone, or of the next one that exists';

-- When a cron expression is due next, later than `after` (C5). An expression has five fields (minute, hour, day of
-- month, month, day of week) with lists, ranges, steps and names. They are read in the local time of the time zone. A
-- day matches by either of its fields when neither begins with a star. @yearly, @monthly, @weekly, @daily and @hourly
-- are short for such fields. @every 90s (s, m, h, d, as in 1h30m) is due at whole multiples since 1970: local time is
-- not used. A local time that is skipped when clocks are set forward is due at the next one that exists. One that
-- exists twice when they are set back is due the first time. So no two ticks are at the same instant.
-- Errors: WR003 an expression that cannot be read, or is never due; 22023 an unknown time zone.
create or replace function weir.cron_next(
  expression text, time_zone text default 'UTC', after timestamptz default clock_timestamp())
returns timestamptz
language plpgsql stable parallel safe as $$
declare
  v_text     text := lower(btrim(expression, E' \t\n\r'));
  v_fields   text[];
  v_minutes  integer[];
  v_hours    integer[];
  v_days     integer[];
  v_months   integer[];
  v_weekdays integer[];
  v_either   boolean;  -- a day matches by one of its two fields
  v_fits     boolean;
  v_weekday  boolean;
  v_every    bigint;
  v_local    timestamp;
  v_day      date;
  v_last     date;
  v_hour     integer;
  v_minute   integer;
  v_at       timestamptz;
begin
  if after is null or after not between '0001-01-02 00:00+00' and '9980-01-01 00:00+00' then
    raise exception 'after: % is out of range', coalesce(after::text, 'null')
      using errcode = 'WR003', hint = 'a time in the years 1 to 9979';
  end if;
  if v_text is null then
    raise exception 'cron: null is no expression' using errcode = 'WR003';
  end if;
  if v_text ~ '^@every(\s|$)' then
    v_text := btrim(substring(v_text from 7));
    if v_text !~ '^([0-9]{1,9}d)?([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?$' or v_text = '' then
      raise exception using errcode = 'WR003',
        message = format('cron "%s": "%s" is no duration', expression, v_text),
        hint = 'whole seconds, as in @every 90s or @every 1h30m';
    end if;
    select sum((u.parts)[1]::bigint
               * case (u.parts)[2] when 'd' then 86400 when 'h' then 3600 when 'm' then 60 else 1 end)
    into v_every
    from regexp_matches(v_text, '([0-9]+)([dhms])', 'g') as u(parts);
    if v_every not between 1 and 31622400 then
      raise exception using errcode = 'WR003',
        message = format('cron "%s": "%s" is out of range', expression, v_text),
        hint = 'from 1s to 366d';
    end if;
    return to_timestamp((floor(extract(epoch from after) / v_every) + 1) * v_every);
  end if;

  v_text := case v_text
    when '@yearly' then '0 0 1 1 *'
    when '@annually' then '0 0 1 1 *'
    when '@monthly' then '0 0 1 * *'
    when '@weekly' then '0 0 * * 0'
    when '@daily' then '0 0 * * *'
    when '@midnight' then '0 0 * * *'
    when '@hourly' then '0 * * * *'
    else v_text end;
  if v_text like '@%' then
    raise exception using errcode = 'WR003',
      message = format('cron "%s": no such word', expression),
      hint = 'there are @yearly, @monthly, @weekly, @daily, @hourly and @every 90s';
  end if;
  v_fields := regexp_split_to_array(v_text, '\s+');
  if v_text = '' or cardinality(v_fields) <> 5 then
    raise exception using errcode = 'WR003',
      message = format('cron "%s": %s field%s, not 5', expression,
                       case when v_text = '' then 0 else cardinality(v_fields) end,
                       case when v_text <> '' and cardinality(v_fields) = 1 then '' else 's' end),
      hint = 'minute, hour, day of month, month, day of week: "30 6 * * mon-fri"';
  end if;
  v_minutes := weir.cron_field(expression, 'minute', v_fields[1], 0, 59);
  v_hours := weir.cron_field(expression, 'hour', v_fields[2], 0, 23);
  v_days := weir.cron_field(expression, 'day of month', v_fields[3], 1, 31);
  v_months := weir.cron_field(expression, 'month', v_fields[4], 1, 12,
                              '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}');
  v_weekdays := weir.cron_field(expression, 'day of week', v_fields[5], 0, 7, '{sun,mon,tue,wed,thu,fri,sat}');
  v_either := v_fields[3] not like '*%' and v_fields[5] not like '*%';

  v_local := date_trunc('minute', after at time zone time_zone) + interval '1 minute';
  v_day := v_local::date;
  v_last := v_day + 9 * 366;  -- 29 February is at most 8 years away
  while v_day <= v_last loop
    if extract(month from v_day)::integer <> all (v_months) then
      v_day := date_trunc('month', v_day)::date + interval '1 month';
      continue;
    end if;
    v_fits := extract(day from v_day)::integer = any (v_days);
    v_weekday := extract(dow from v_day)::integer = any (v_weekdays);
    if (v_fits and v_weekday) or (v_either and (v_fits or v_weekday)) then
      foreach v_hour in array v_hours loop
        continue when v_day + make_interval(hours => v_hour + 1) <= v_local;
        foreach v_minute in array v_minutes loop
          continue when v_day + make_interval(hours => v_hour, mins => v_minute) < v_local;
          v_at := weir.first_instant(v_day + make_interval(hours => v_hour, mins => v_minute), time_zone);
          if v_at > after then return v_at; end if;
        end loop;
      end loop;
    end if;
    v_day := v_day + 1;
  end loop;
  raise exception using errcode = 'WR003',
    message = format('cron "%s" is never due', expression),
    hint = 'no day of these months has that number';
end $$;
comment on function weir.cron_next is 'when a cron expression is due next, in the local time of a time zone';

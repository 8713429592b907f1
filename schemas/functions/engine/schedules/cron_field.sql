-- The numbers that one field of a cron expression matches, as a sorted array. `p_names` are the names that the field
-- takes, of months or of days; the first is p_min. As a day of the week 7 is Sunday, like 0.
-- Errors: WR003 the field cannot be read; the message has the field and its faulty part.
create or replace function weir.cron_field(
  p_expression text, p_field text, p_text text, p_min integer, p_max integer, p_names text[] default '{}')
returns integer[]
language plpgsql immutable parallel safe as $$
declare
  v_part   text;
  v_range  text[];
  v_ends   text[];
  v_from   integer;
  v_to     integer;
  v_step   integer;
  v_wrong  text;
  v_found  integer[] := '{}';
  v_days   boolean := p_max = 7;
begin
  foreach v_part in array string_to_array(p_text, ',') loop
    v_wrong := null;
    v_range := string_to_array(v_part, '/');
    if v_part = '' then
      v_wrong := ' has an empty place between commas';
    elsif cardinality(v_range) > 2 then
      v_wrong := ' has more than one step';
    elsif cardinality(v_range) = 2 and v_range[2] !~ '^[0-9]{1,4}$' then
      v_wrong := format(': the step "%s" is no whole number', v_range[2]);
    elsif cardinality(v_range) = 2 and v_range[2]::integer = 0 then
      v_wrong := ': a step of 0 gets nowhere';
    else
      v_step := case when cardinality(v_range) = 2 then v_range[2]::integer else 1 end;
      if v_range[1] = '*' then
        v_from := p_min;
        v_to := case when v_days then 6 else p_max end;
      else
        v_ends := string_to_array(v_range[1], '-');
        if cardinality(v_ends) not in (1, 2) then
          v_wrong := ' is no range';
        else
          for place in 1 .. cardinality(v_ends) loop
            if v_ends[place] ~ '^[0-9]{1,4}$' and v_ends[place]::integer between p_min and p_max then
              v_ends[place] := v_ends[place]::integer::text;
            elsif array_position(p_names, lower(v_ends[place])) is not null then
              v_ends[place] := (array_position(p_names, lower(v_ends[place])) - 1 + p_min)::text;
              if v_days and place = 2 and v_ends[place] = '0' then v_ends[place] := '7'; end if;
            else
              v_wrong := case when v_ends[place] <> v_part then format(': "%s"', v_ends[place]) else '' end
                || format(' is not %s to %s', p_min, p_max)
                || case when cardinality(p_names) > 0
                        then format(' or %s to %s', p_names[1], p_names[cardinality(p_names)])
                        else '' end;
              exit;
            end if;
          end loop;
        end if;
        if v_wrong is null then
          v_from := v_ends[1]::integer;
          v_to := case when cardinality(v_ends) = 2 then v_ends[2]::integer
                       when cardinality(v_range) = 2 then case when v_days then 6 else p_max end  -- 5/15 is from 5 on
                       else v_from end;
          if v_to < v_from then v_wrong := ' runs backwards'; end if;
        end if;
      end if;
    end if;
    if v_wrong is not null then
      raise exception using errcode = 'WR003',
        message = format('cron "%s": %s "%s"%s', p_expression, p_field,
                         case v_part when '' then p_text else v_part end, v_wrong),
        hint = 'a number, a range such as 1-5, a list such as 1,15, or a step such as */10';
    end if;
    v_found := v_found || array(select case when v_days then n % 7 else n end
                                from generate_series(v_from, v_to, v_step) as n);
  end loop;
  return array(select distinct n from unnest(v_found) as n order by n);
end $$;
comment on function weir.cron_field is 'the numbers that one field of a cron expression matches';

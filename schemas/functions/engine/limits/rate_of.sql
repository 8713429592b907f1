-- Reads a rate such as "100/1m": a count per interval of ms, s, m, h or d. Null for null.
-- Errors: WR003 the text is not a rate.
create or replace function weir.rate_of(rate text, out count integer, out per interval)
language plpgsql immutable parallel safe as $$
declare
  v_ms    bigint;
  v_parts text[] := regexp_match(rate, '^([1-9][0-9]{0,8})/([1-9][0-9]{0,8})(ms|s|m|h|d)$');
begin
  if rate is null then return; end if;
  if v_parts is null then
    raise exception '"%" is no rate', rate using errcode = 'WR003', hint = 'a count per interval, such as 100/1m';
  end if;
  count := v_parts[1]::integer;
  v_ms := v_parts[2]::bigint
          * case v_parts[3]
              when 'ms' then 1
              when 's' then 1000
              when 'm' then 60000
              when 'h' then 3600000
              else 86400000 end;
  if v_ms > 365 * 86400000::bigint then
    raise exception '"%" is no rate', rate using errcode = 'WR003', hint = 'an interval of at most 365d';
  end if;
  per := v_ms * interval '1 ms';
end $$;
comment on function weir.rate_of is 'reads a rate such as 100/1m';

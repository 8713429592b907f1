-- Reads a rate such as "100/1m": a count per interval of ms, s, m, h or d. Null for null.
-- Errors: WR003 the text is not a rate.
create or replace function weir.rate_of(rate text, out count integer, out per interval)
language plpgsql immutable parallel safe as $$
declare
  v_parts text[] := regexp_match(rate, '^([1-9][0-9]{0,8})/([1-9][0-9]{0,8})(ms|s|m|h|d)$');
begin
  if rate is null then return; end if;
  if v_parts is null then
    raise exception '"%" is no rate', rate using errcode = 'WR003', hint = 'a count per interval, such as 100/1m';
  end if;
  count := v_parts[1]::integer;
  per := v_parts[2]::integer
         * case v_parts[3]
             when 'ms' then interval '1 ms'
             when 's' then interval '1 second'
             when 'm' then interval '1 minute'
             when 'h' then interval '1 hour'
             else interval '24 hours' end;
end $$;
comment on function weir.rate_of is 'reads a rate such as 100/1m';

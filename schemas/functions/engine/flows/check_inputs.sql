-- Refuses inputs that do not fit an input schema, as far as SQL checks it (S3; weir.input_faults), whose path is
-- p_path (weir.input_path_of); not one whose key has a run of the flow, which started with the version of its time
-- (S4). The words are those of weir::check_input.
-- Errors: WR003, with the JSON pointer of each fault of the first such input.
create or replace function weir.check_inputs(
  p_flow integer, p_schema jsonb, p_path jsonpath, p_inputs jsonb[], p_keys text[] default null)
returns void
language plpgsql stable as $$
declare
  v_place  bigint;
  v_faults text[];
begin
  if not exists (
    select from unnest(p_inputs) as i
    where jsonb_path_match(coalesce(i, 'null'), p_path, '{}', true) is not true) then
    return;
  end if;
  select i.place, f.faults into v_place, v_faults
  from unnest(p_inputs, p_keys) with ordinality as i(input, key, place)
  cross join lateral (select weir.input_faults(p_schema, coalesce(i.input, 'null')) as faults) as f
  where jsonb_path_match(coalesce(i.input, 'null'), p_path, '{}', true) is not true and f.faults <> '{}'
    and not weir.has_key(p_flow, i.key)
  order by i.place
  limit 1;
  if not found then return; end if;
  raise exception using errcode = 'WR003',
    message = case when cardinality(p_inputs) > 1 then
                format('input %s of %s: ', v_place, cardinality(p_inputs)) else '' end
              || (select string_agg(s.fault, '; ' order by s.place) filter (where s.place <= 10)
                         || case when max(s.place) > 10 then '; and more' else '' end
                  from (select d.fault, row_number() over (order by d.fault collate "C") as place
                        from (select distinct f as fault from unnest(v_faults) as f) as d) as s),
    hint = 'weir flows show prints what input the flow takes';
exception when statement_too_complex then
  return;  -- a value as deep as its schema: the worker checks it
end $$;
comment on function weir.check_inputs is 'refuses inputs that do not fit the input schema of a version';

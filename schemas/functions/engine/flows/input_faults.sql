-- What in a value does not fit a JSON schema: "/orders/1/sku: expected a string, got a number", one text each, at most
-- some hundred. p_at is the JSON pointer of the value, empty for the whole input. It knows the keywords that
-- core/definition/input_faults.cpp knows, and gives the same words; the others are left to the worker, which checks the
-- input before the first handler (S3). So is everything beside a $ref, and an additionalProperties beside
-- patternProperties. A keyword of the wrong form is no rule.
create or replace function weir.input_faults(p_schema jsonb, p_value jsonb, p_at text default '') returns text[]
language plpgsql immutable parallel safe as $$
declare
  v_kind   text := jsonb_typeof(p_value);
  v_here   text[] := '{}';  -- what is wrong with the value itself
  v_below  text[] := '{}';  -- what is wrong in it, with its place
  v_rule   jsonb;
  v_more   jsonb;
  v_types  text[];
  v_number numeric;
  v_key    text;
  v_item   jsonb;
  v_faults text[];
begin
  if jsonb_typeof(p_schema) <> 'object' or p_schema ? '$ref' then
    if p_schema <> 'false' then return '{}'; end if;
    v_here := array['no value is allowed'];
  end if;

  v_rule := p_schema -> 'type';
  if v_rule is not null and v_rule <> to_jsonb(v_kind) then
    v_types := case jsonb_typeof(v_rule) when 'string' then array[v_rule #>> '{}']
                                         when 'array' then array(select jsonb_array_elements_text(v_rule)) end;
    if v_types <> '{}' and v_types <@ '{"null",boolean,integer,number,string,array,object}'
       and v_kind <> all (v_types)
       and (v_kind <> 'number' or 'integer' <> all (v_types) or p_value::numeric % 1 <> 0) then  -- 1.0 is an integer
      v_here := v_here || format('expected %s, got %s',
        (select string_agg(case when t.name = 'null' then 'null'
                                when t.name in ('integer', 'array', 'object') then 'an ' || t.name
                                else 'a ' || t.name end, ' or ' order by t.place)
         from unnest(v_types) with ordinality as t(name, place)),
        case when v_kind = 'number' and 'integer' = any (v_types) then 'a fraction'
             else weir.kind_of_value(p_value) end);
    end if;
  end if;
  if p_schema ? 'const' and p_schema -> 'const' <> p_value then
    v_here := v_here || 'is not the value that is allowed'::text;
  end if;
  v_rule := p_schema -> 'enum';
  if jsonb_typeof(v_rule) = 'array'
     and not exists (select from jsonb_array_elements(v_rule) as e where e = p_value) then
    v_here := v_here || 'is none of the values that are allowed'::text;
  end if;

  if v_kind = 'object' then
    v_rule := p_schema -> 'required';
    if jsonb_typeof(v_rule) = 'array' and not p_value ?& array(select jsonb_array_elements_text(v_rule)) then
      v_here := v_here || array(select format('"%s" is missing', r)
                                from jsonb_array_elements_text(v_rule) as r where not p_value ? r);
    end if;
    v_rule := p_schema -> 'properties';
    v_more := case when not p_schema ? 'patternProperties' then p_schema -> 'additionalProperties' end;
    if v_rule is not null or v_more is not null then
      for v_key, v_item in select m.key, m.value from jsonb_each(p_value) as m loop
        if v_rule ? v_key then
          v_faults := weir.input_faults(v_rule -> v_key, v_item,
                                        p_at || '/' || replace(replace(v_key, '~', '~0'), '/', '~1'));
        elsif v_more = 'false' then
          v_here := v_here || format('"%s" is not allowed', v_key);
          continue;
        else
          v_faults := weir.input_faults(v_more, v_item,
                                        p_at || '/' || replace(replace(v_key, '~', '~0'), '/', '~1'));
        end if;
        v_below := v_below || v_faults;
        exit when cardinality(v_below) + cardinality(v_here) >= 100;
      end loop;
    end if;
    if p_schema ?| '{minProperties,maxProperties}' then
      v_here := v_here || weir.size_faults(p_schema, 'Properties', 'member',
                                           (select count(*) from jsonb_object_keys(p_value)));
    end if;

  elsif v_kind = 'array' then
    v_rule := p_schema -> 'items';
    if jsonb_typeof(v_rule) = 'array' then
      v_more := p_schema -> 'additionalItems';
      if v_more = 'false' and jsonb_array_length(p_value) > jsonb_array_length(v_rule) then
        v_here := v_here || format('has %s elements, expected at most %s', jsonb_array_length(p_value),
                                   jsonb_array_length(v_rule));
        v_more := null;
      end if;
    elsif v_rule is not null then
      v_more := v_rule;
    end if;
    if v_rule is not null then
      for v_key, v_item in select (i.place - 1)::text, i.item
                           from jsonb_array_elements(p_value) with ordinality as i(item, place) loop
        v_below := v_below || weir.input_faults(
          case when jsonb_typeof(v_rule) = 'array' then coalesce(v_rule -> v_key::integer, v_more) else v_more end,
          v_item, p_at || '/' || v_key);
        exit when cardinality(v_below) >= 100;
      end loop;
    end if;
    if p_schema ?| '{minItems,maxItems}' then
      v_here := v_here || weir.size_faults(p_schema, 'Items', 'element', jsonb_array_length(p_value));
    end if;

  elsif v_kind = 'string' then
    if p_schema ?| '{minLength,maxLength}' then
      v_here := v_here || weir.size_faults(p_schema, 'Length', 'character', length(p_value #>> '{}'));
    end if;

  elsif v_kind = 'number' and p_schema ?| '{minimum,maximum,exclusiveMinimum,exclusiveMaximum}' then
    v_number := p_value;
    v_here := v_here || array(
      select format('expected %s %s', l.words, trim_scale((p_schema -> l.keyword)::numeric))
      from (values ('minimum', 'at least'), ('maximum', 'at most'), ('exclusiveMinimum', 'more than'),
                   ('exclusiveMaximum', 'less than')) as l(keyword, words)
      where case when jsonb_typeof(p_schema -> l.keyword) = 'number' then
              case l.keyword when 'minimum' then v_number < (p_schema -> l.keyword)::numeric
                             when 'maximum' then v_number > (p_schema -> l.keyword)::numeric
                             when 'exclusiveMinimum' then v_number <= (p_schema -> l.keyword)::numeric
                             else v_number >= (p_schema -> l.keyword)::numeric end end);
  end if;

  if jsonb_typeof(p_schema -> 'allOf') = 'array' then
    for v_rule in select jsonb_array_elements(p_schema -> 'allOf') loop
      v_below := v_below || weir.input_faults(v_rule, p_value, p_at);
    end loop;
  end if;
  if jsonb_typeof(p_schema -> 'anyOf') = 'array' then
    v_faults := '{}';
    for v_rule in select jsonb_array_elements(p_schema -> 'anyOf') loop
      v_types := weir.input_faults(v_rule, p_value, p_at);
      if v_types = '{}' then
        v_faults := '{}';
        exit;
      end if;
      v_faults := v_faults || v_types;
    end loop;
    v_below := v_below || v_faults;
  end if;

  if v_here <> '{}' then
    v_below := v_below || array(select coalesce(nullif(p_at, ''), 'the input') || ': ' || w from unnest(v_here) as w);
  end if;
  return v_below;
end $$;
comment on function weir.input_faults is 'what in a value does not fit a JSON schema, as far as SQL checks it';

-- What a run is counted by, of a flow whose limits have a key: "=" and the text at that place of its input, or "-"
-- where there is nothing, or null: such runs are bound by the flow's own limits alone. Long texts by their digest.
create or replace function weir.limit_key(p_path text[], p_input jsonb) returns text
language sql immutable parallel safe as $$
  select case when p_path is null then null when v is null then '-' when octet_length(v) > 200 then '#' || md5(v) else '=' || v end
  from (select p_input #>> p_path) as t(v)
$$;
comment on function weir.limit_key is 'what a run is counted by under its flow''s limits';

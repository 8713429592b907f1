-- The key by which a run is counted, when the limits of its flow have one: "=" and the text at that place of its input,
-- or "#" and the digest of a long text, or "-" where the input has nothing or null there: only the limits of the flow
-- itself apply to such a run.
create or replace function weir.limit_key(p_path text[], p_input jsonb) returns text
language sql immutable parallel safe as $$
  select case when p_path is null then null
              when v is null then '-'
              when octet_length(v) > 200 then '#' || md5(v)
              else '=' || v end
  from (select p_input #>> p_path) as t(v)
$$;
comment on function weir.limit_key is 'the key by which a run is counted under the limits of its flow';

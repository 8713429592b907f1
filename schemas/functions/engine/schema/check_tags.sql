-- The tags, unless they are no plain list of texts: null, with nulls in it, with dimensions or with bounds of its own.
-- Errors: WR003.
create or replace function weir.check_tags(p_tags text[]) returns text[]
language plpgsql immutable as $$
begin
  if p_tags = '{}' then return p_tags; end if;
  if p_tags is null or array_ndims(p_tags) <> 1 or array_lower(p_tags, 1) <> 1 then
    raise exception 'tags: % is no list', coalesce(p_tags::text, 'null')
      using errcode = 'WR003', hint = 'none is ''{}''';
  end if;
  if array_position(p_tags, null) is not null then
    raise exception 'tags: null is no tag' using errcode = 'WR003', hint = 'none is ''{}''';
  end if;
  return p_tags;
end $$;
comment on function weir.check_tags is 'the tags, unless they are no plain list of texts: then WR003';

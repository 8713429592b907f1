-- The id of a plugin's file, which the journal records for each attempt (V1).
create or replace function weir.register_plugin(p_sha256 text, p_path text) returns integer
language sql as $$
  insert into weir.plugin (sha256, path) values (p_sha256, p_path)
  on conflict (sha256) do update set path = excluded.path
  returning id
$$;
comment on function weir.register_plugin is 'the id of a plugin''s file, which the journal records for each attempt';

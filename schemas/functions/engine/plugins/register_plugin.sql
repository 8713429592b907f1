-- The small number that stands for a plugin's file in the journal (V1).
create or replace function weir.register_plugin(p_sha256 text, p_path text) returns integer
language sql as $$
  insert into weir.plugin (sha256, path) values (p_sha256, p_path)
  on conflict (sha256) do update set path = excluded.path
  returning id
$$;
comment on function weir.register_plugin is 'the small number that stands for a plugin''s file in the journal';

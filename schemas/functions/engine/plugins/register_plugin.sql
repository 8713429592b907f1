-- The id of a plugin's file, which the journal records for each attempt (V1). Errors: WR003 no SHA-256, or no path.
create or replace function weir.register_plugin(p_sha256 text, p_path text) returns integer
language plpgsql as $$
declare
  v_plugin integer;
begin
  if p_sha256 is null or p_sha256 !~ '^[0-9a-f]{64}$' or p_path is null then
    raise exception 'a plugin with SHA-256 % at %', coalesce(p_sha256, 'null'), coalesce(p_path, 'null')
      using errcode = 'WR003', hint = '64 digits, 0 to 9 and a to f, and the path of the file';
  end if;
  insert into weir.plugin (sha256, path) values (p_sha256, p_path)
  on conflict (sha256) do update set path = excluded.path
  returning id into v_plugin;
  return v_plugin;
end $$;
comment on function weir.register_plugin is 'the id of a plugin''s file, which the journal records for each attempt';

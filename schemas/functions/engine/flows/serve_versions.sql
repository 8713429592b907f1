-- Records which versions a worker can run from now on, and with which plugins (null: built into the program), for
-- people and programs that read weir.versions. Each exchange says which versions the worker claims. Rows of workers
-- that ended are removed.
-- Errors: WR003 no worker, or arrays that are not two lists of one length.
create or replace function weir.serve_versions(p_worker bigint, p_versions integer[], p_plugins integer[])
returns void
language plpgsql as $$
begin
  if p_worker is null or p_versions is null or p_plugins is null
     or cardinality(p_versions) <> cardinality(p_plugins) then
    raise exception 'worker % serves versions % with plugins %', coalesce(p_worker::text, 'null'),
      coalesce(p_versions::text, 'null'), coalesce(p_plugins::text, 'null')
      using errcode = 'WR003', hint = 'a worker, a list of versions, and a plugin or null for each of them';
  end if;
  delete from weir.serving s
  where s.worker_id <> p_worker
    and not exists (select from weir.worker w where w.id = s.worker_id and w.ended_at is null);
  insert into weir.serving (worker_id, version_ids, plugin_ids)
  values (p_worker, p_versions, p_plugins)
  on conflict (worker_id) do update
  set version_ids = excluded.version_ids, plugin_ids = excluded.plugin_ids;
end $$;
comment on function weir.serve_versions is 'records which versions a worker can run from now on';

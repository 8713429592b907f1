-- Records which versions a worker can run from now on, and with which plugins (null: built into the program), for
-- people and programs that read weir.versions. Each exchange says which versions the worker claims. Rows of workers
-- that ended are removed.
create or replace function weir.serve_versions(p_worker bigint, p_versions integer[], p_plugins integer[])
returns void
language plpgsql as $$
begin
  delete from weir.serving s
  where s.worker_id <> p_worker
    and not exists (select from weir.worker w where w.id = s.worker_id and w.ended_at is null);
  insert into weir.serving (worker_id, version_ids, plugin_ids)
  values (p_worker, p_versions, p_plugins)
  on conflict (worker_id) do update
  set version_ids = excluded.version_ids, plugin_ids = excluded.plugin_ids;
end $$;
comment on function weir.serve_versions is 'records which versions a worker can run from now on';

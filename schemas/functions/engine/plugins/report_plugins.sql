-- Records all plugin files that a process has now, as a JSON array of objects with the columns of weir.plugins; null
-- when the process ends. To be called at least once a minute. Reports of processes that stopped reporting are removed.
create or replace function weir.report_plugins(p_host text, p_pid integer, p_started_at timestamptz, p_plugins jsonb)
returns void
language plpgsql as $$
begin
  delete from weir.plugin_report r
  where (r.host = p_host and r.pid = p_pid and (p_plugins is null or r.started_at <> p_started_at))
     or r.reported_at < now() - interval '10 minutes';
  if p_plugins is null then return; end if;
  insert into weir.plugin_report (host, pid, started_at, plugins)
  values (p_host, p_pid, p_started_at, p_plugins)
  on conflict (host, pid, started_at) do update
  set plugins = excluded.plugins, reported_at = now();
end $$;
comment on function weir.report_plugins is 'records the plugin files that a process has now';

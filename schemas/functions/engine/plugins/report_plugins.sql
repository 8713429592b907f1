-- Records all plugin files that a process has now, as a JSON array of objects with the columns of weir.plugins; null
-- when the process ends. To be called at least once a minute. Reports of processes that stopped reporting are removed.
-- Errors: WR003 no process, or plugins that weir.plugins could not show.
create or replace function weir.report_plugins(p_host text, p_pid integer, p_started_at timestamptz, p_plugins jsonb)
returns void
language plpgsql as $$
declare
  v_fault text;
begin
  if p_host is null or p_pid is null or p_started_at is null then
    raise exception 'a report of process % on host %', coalesce(p_pid::text, 'null'), coalesce(p_host, 'null')
      using errcode = 'WR003', hint = 'a host, a process and when it was started';
  end if;
  delete from weir.plugin_report r
  where (r.host = p_host and r.pid = p_pid and (p_plugins is null or r.started_at <> p_started_at))
     or r.reported_at < now() - interval '10 minutes';
  if p_plugins is null then return; end if;
  begin
    select case when p.path is null or p.state is null then 'a file without a path or a state'
                when array_ndims(p.flows) > 1 or exists (select from unnest(p.flows) as f where f is null)
                  then 'flows are texts' end
    into v_fault
    from jsonb_to_recordset(p_plugins)
      as p(path text, sha256 text, plugin text, version text, flows text[], state text, isolated boolean, kind text,
           detail text, hint text, until timestamptz, pending_calls integer)
    order by 1 nulls last
    limit 1;
  exception when data_exception then
    get stacked diagnostics v_fault = message_text;
  end;
  if v_fault is not null then
    raise exception 'plugins: %', v_fault using errcode = 'WR003',
      hint = 'an array of objects with the columns of weir.plugins';
  end if;
  insert into weir.plugin_report (host, pid, started_at, plugins)
  values (p_host, p_pid, p_started_at, p_plugins)
  on conflict (host, pid, started_at) do update
  set plugins = excluded.plugins, reported_at = now();
end $$;
comment on function weir.report_plugins is 'records the plugin files that a process has now';

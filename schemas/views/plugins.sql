create or replace view weir.plugins as
select r.host, r.pid, p.path, p.sha256, p.plugin, p.version, p.flows, p.state, p.isolated, p.kind, p.detail, p.hint,
       p.until, r.reported_at, coalesce(p.pending_calls, 0) as pending_calls
from weir.plugin_report r
cross join lateral jsonb_to_recordset(r.plugins)
  as p(path text, sha256 text, plugin text, version text, flows text[], state text, isolated boolean, kind text,
       detail text, hint text, until timestamptz, pending_calls integer)
where r.reported_at > now() - interval '3 minutes'
  and exists (select from weir.worker w
              where w.host = r.host and w.pid = r.pid and w.ended_at is null and w.lease_until > now());
comment on view weir.plugins is 'the plugin files of processes with live workers, one row for each file and process';
comment on column weir.plugins.host is 'the host of the process';
comment on column weir.plugins.pid is 'the process';
comment on column weir.plugins.path is 'path of the file';
comment on column weir.plugins.sha256 is 'SHA-256 of the file; null when it was refused before that was known';
comment on column weir.plugins.plugin is 'the name that the plugin gives itself';
comment on column weir.plugins.version is 'the version that the plugin gives itself';
comment on column weir.plugins.flows is 'slugs of the flows in it';
comment on column weir.plugins.state is 'live, former, refused, quarantined or unload_pinned';
comment on column weir.plugins.isolated is 'its steps run in processes of their own';
comment on column weir.plugins.kind is 'why it is refused, quarantined or unload_pinned, as weir plugins lint names it';
comment on column weir.plugins.detail is 'what is wrong with it';
comment on column weir.plugins.hint is 'what to do about it';
comment on column weir.plugins.until is 'of a quarantined plugin: its runs wait until then';
comment on column weir.plugins.reported_at is 'when the process reported it most recently';
comment on column weir.plugins.pending_calls is 'of a former plugin: how many deferred calls keep its code loaded';

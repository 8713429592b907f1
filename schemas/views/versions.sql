create or replace view weir.versions as
with open as materialized (
  select o.version_id, count(*) as runs
  from weir.open_run o
  group by o.version_id),
served as materialized (
  select s.version_id, count(*) filter (where not s.barred) as workers, count(*) filter (where s.barred) as barred,
         array_agg(distinct p.sha256 order by p.sha256) filter (where p.sha256 is not null) as plugins
  from weir.worker w
  join weir.serving s on s.worker_id = w.id
  left join weir.plugin p on p.id = s.plugin_id
  where s.claims and w.ended_at is null and w.lease_until > now()
  group by s.version_id)
select f.slug as flow, v.number as version, v.module, v.fingerprint, v.created_at,
       coalesce(o.runs, 0) as open_runs, coalesce(s.workers, 0) as workers, coalesce(s.barred, 0) as quarantined,
       coalesce(s.plugins, '{}') as plugins,
       (select t.number
        from weir.adoption a
        join weir.version t on t.id = a.to_version
        where a.from_version = v.id) as adopted_by,
       v.id = n.version_id as takes_starts, v.id <> n.version_id and o.runs is null as safe_to_remove
from weir.version v
join weir.flow f on f.id = v.flow_id
cross join lateral (select weir.version_for_starts(f.id) as version_id offset 0) as n
left join open o on o.version_id = v.id
left join served s on s.version_id = v.id;
comment on view weir.versions is 'every version of every flow: its open runs, and whether its code can be removed';
comment on column weir.versions.flow is 'slug of the flow';
comment on column weir.versions.version is 'counted from 1 for each flow';
comment on column weir.versions.module is 'the dotted name under which it was registered most recently';
comment on column weir.versions.fingerprint is 'SHA-256 of the definition in canonical form';
comment on column weir.versions.created_at is 'when a worker loaded it first';
comment on column weir.versions.open_runs is 'how many runs of it have not ended';
comment on column weir.versions.workers is 'how many live workers can run it';
comment on column weir.versions.quarantined is
  'in how many live workers its plugin is in quarantine: its runs wait there';
comment on column weir.versions.plugins is 'SHA-256 of the plugin files with which they run it';
comment on column weir.versions.adopted_by is
  'the version with which its open runs continue when their worker releases them';
comment on column weir.versions.takes_starts is 'a start without a version takes it';
comment on column weir.versions.safe_to_remove is
  'no start without a version takes it, and it has no open run: nothing will need its code';

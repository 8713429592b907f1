-- Records which versions a worker has from now on, and with which plugins (null: built into the program), for starts
-- (V5) and for those who read weir.versions. p_barred: the plugin is in quarantine there; p_offered: new runs may take
-- it, as it is not there for open runs only; p_claims: the worker claims runs, and does not only take shares;
-- p_first_steps: a step with which every run of the version begins at once, null for none. Each exchange says which
-- versions the worker claims. Rows of workers that ended are removed.
-- Errors: WR003 no worker or no p_claims, or arrays that are not lists of one length.
create or replace function weir.serve_versions(
  p_worker bigint, p_versions integer[], p_plugins integer[], p_barred boolean[] default null,
  p_offered boolean[] default null, p_claims boolean default true, p_first_steps smallint[] default null)
returns void
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
begin
  if p_worker is null or p_versions is null or p_plugins is null or p_claims is null
     or cardinality(p_versions) <> cardinality(p_plugins) or cardinality(p_versions) <> cardinality(p_barred)
     or cardinality(p_versions) <> cardinality(p_offered) or cardinality(p_versions) <> cardinality(p_first_steps)
     or exists (select from unnest(p_versions) as v where v is null) then
    raise exception 'worker % serves versions % with plugins % and first steps %, of which % are barred and % offered',
      coalesce(p_worker::text, 'null'), coalesce(p_versions::text, 'null'), coalesce(p_plugins::text, 'null'),
      coalesce(p_first_steps::text, 'null'), coalesce(p_barred::text, 'none'), coalesce(p_offered::text, 'all')
      using errcode = 'WR003', hint = 'a worker, a list of versions, and a plugin or null for each of them';
  end if;

  with gone as materialized (
    select s.version_id, s.worker_id
    from weir.serving s
    where s.worker_id = p_worker and s.version_id <> all (p_versions)
       or s.worker_id <> p_worker and not exists (
            select from weir.worker w where w.id = any (array[s.worker_id]) and w.ended_at is null)
    for update skip locked)
  delete from weir.serving s
  using gone g
  where s.version_id = any (array[g.version_id]) and s.worker_id = any (array[g.worker_id]);

  insert into weir.serving as s (version_id, worker_id, plugin_id, barred, offered, claims, first_step)
  select distinct on (v.version) v.version, p_worker, v.plugin, coalesce(v.barred, false),
         p_claims and coalesce(v.offered, true), p_claims, v.first_step
  from unnest(p_versions, p_plugins, p_barred, p_offered, p_first_steps)
         as v(version, plugin, barred, offered, first_step)
  order by v.version
  on conflict (version_id, worker_id) do update
  set plugin_id = excluded.plugin_id, barred = excluded.barred, offered = excluded.offered, claims = excluded.claims,
      first_step = excluded.first_step
  where (s.plugin_id, s.barred, s.offered, s.claims, s.first_step)
        is distinct from (excluded.plugin_id, excluded.barred, excluded.offered, excluded.claims, excluded.first_step);

  -- Somebody may have locked a flow in an open transaction (L8): it is left to the next call.
  with flow as materialized (
    select f.id, weir.offered_version(f.id) as offered
    from weir.flow f
    where f.id in (select v.flow_id from weir.version v where v.id = any (p_versions))),
  changed as materialized (
    select f.id, c.offered
    from flow c
    join weir.flow f on f.id = any (array[c.id])
    where c.offered is not null and f.last_offered is distinct from c.offered
    for no key update of f skip locked)
  update weir.flow f
  set last_offered = c.offered
  from changed c
  where f.id = any (array[c.id]);
end $$;
comment on function weir.serve_versions is 'records which versions a worker has from now on';

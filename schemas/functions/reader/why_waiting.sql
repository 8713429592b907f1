-- Why no worker may begin a run of a version now, and what to do about it; null: one may.
create or replace function weir.why_waiting(p_version integer) returns text
language plpgsql stable
set jit = off set enable_seqscan = off  -- by key, as plans are kept while tables grow
as $$
declare
  v_version weir.version%rowtype;
  v_flow    weir.flow%rowtype;
  v_workers bigint;
  v_barred  bigint;
  v_until   timestamptz;
begin
  select v.* into v_version from weir.version v where v.id = p_version;
  if not found then return null; end if;
  select f.* into v_flow from weir.flow f where f.id = v_version.flow_id;
  if v_flow.paused_at is not null then
    return format('flow %s is paused: weir flows resume %1$s', v_flow.slug);
  end if;
  select count(*) filter (where not s.barred), count(*) filter (where s.barred) into v_workers, v_barred
  from weir.serving s
  join weir.worker w on w.id = any (array[s.worker_id])
  where s.version_id = p_version and s.claims and w.ended_at is null and w.lease_until > clock_timestamp();
  if v_workers > 0 then return null; end if;
  if v_barred > 0 then
    select min(p.until) into v_until from weir.plugins p where p.state = 'quarantined' and v_flow.slug = any (p.flows);
    return format('the plugin of flow %s is in quarantine%s: weir plugins list says why', v_flow.slug,
                  ' until ' || to_char(v_until at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'));
  end if;
  if not exists (select from weir.worker w where w.ended_at is null and w.lease_until > clock_timestamp()) then
    return 'no worker is alive: the run waits until "weir serve" is started';
  end if;
  return format('no live worker has version %s of flow %s: weir flows versions %2$s says what to do',
                v_version.number, v_flow.slug);
end $$;
comment on function weir.why_waiting is 'why no worker may begin a run of a version now; null: one may';

-- Sets the limits of a flow, all its versions together (C6): how many of its runs workers hold at once, and how many
-- they claim per interval ("100/1m"); and both for each text that is at `key`, a JSON pointer such as /customer_id, in
-- the input of a run. A limit that is null does not apply; without any the flow has no limits. They apply to runs that
-- are claimed from now on. Returns false when the limits were the same before.
-- Workers call it as well, with the limits of flows.yaml.
-- Errors: WR002 no such flow; WR003 a limit out of its range, a limit for a key without a key, a rate or a JSON pointer
-- that cannot be read.
create or replace function weir.set_limits(
  flow text, max_running integer default null, rate text default null,
  key text default null, key_max_running integer default null, key_rate text default null,
  by_config boolean default false)
returns boolean
language plpgsql as $$
declare
  v_flow integer;
  v_new  weir.flow_limit%rowtype;
  v_old  weir.flow_limit%rowtype;
begin
  select f.id into v_flow from weir.flow f where f.slug = set_limits.flow;
  if not found then
    raise exception 'no flow "%" in this database', flow using errcode = 'WR002',
      hint = coalesce((select 'known flows: ' || string_agg(f.slug, ', ' order by f.slug) from weir.flow f),
                      'no flow is registered yet: a worker registers those it has loaded');
  end if;
  if least(max_running, key_max_running) < 1 then
    raise exception 'max_running: % is out of range', least(max_running, key_max_running)
      using errcode = 'WR003', hint = 'from 1; null for no limit; to stop a flow, weir.pause';
  end if;
  if key is null and coalesce(key_max_running::text, key_rate) is not null then
    raise exception 'limits for a key without a key'
      using errcode = 'WR003', hint = 'key: a JSON pointer such as /customer_id';
  end if;
  if by_config is null then
    raise exception 'by_config: null is neither true nor false' using errcode = 'WR003';
  end if;
  if key !~ '^(/([^~/]|~0|~1)*)+$' then
    raise exception 'key: "%" is no JSON pointer', key
      using errcode = 'WR003', hint = 'such as /customer_id or /order/customer';
  end if;
  select * into v_old from weir.flow_limit l where l.flow_id = v_flow for update;
  if coalesce(max_running::text, rate, key_max_running::text, key_rate) is null then
    if v_old.flow_id is null or (set_limits.by_config and not v_old.by_config) then return false; end if;
    delete from weir.flow_limit l where l.flow_id = v_flow;
    perform pg_notify('weir_ready', '');
    return true;
  end if;
  select r.count, r.per into v_new.rate, v_new.rate_per from weir.rate_of(rate) as r;
  select r.count, r.per into v_new.key_rate, v_new.key_rate_per from weir.rate_of(key_rate) as r;
  if (v_old.max_running, v_old.rate, v_old.rate_per, v_old.key, v_old.key_max_running, v_old.key_rate,
      v_old.key_rate_per, v_old.by_config)
     is not distinct from
     (max_running, v_new.rate, v_new.rate_per, key, key_max_running, v_new.key_rate,
      v_new.key_rate_per, by_config) then
    return false;
  end if;
  insert into weir.flow_limit
    (flow_id, max_running, rate, rate_per, key, key_path, key_max_running, key_rate, key_rate_per, by_config)
  values (v_flow, set_limits.max_running, v_new.rate, v_new.rate_per, set_limits.key,
          (select array_agg(replace(replace(part, '~1', '/'), '~0', '~') order by place)
           from unnest((string_to_array(set_limits.key, '/'))[2:]) with ordinality as p(part, place)),
          set_limits.key_max_running, v_new.key_rate, v_new.key_rate_per, set_limits.by_config)
  on conflict (flow_id) do update
  set max_running = excluded.max_running, rate = excluded.rate, rate_per = excluded.rate_per, key = excluded.key,
      key_path = excluded.key_path, key_max_running = excluded.key_max_running, key_rate = excluded.key_rate,
      key_rate_per = excluded.key_rate_per, by_config = excluded.by_config, tat = null,
      set_at = excluded.set_at, settled = false, settled_by = null;
  delete from weir.key_rate k where k.flow_id = v_flow;
  perform pg_notify('weir_ready', '');
  return true;
end $$;
comment on function weir.set_limits is
  'sets how many runs of a flow, and of a key of its input, are held at once and claimed per interval';

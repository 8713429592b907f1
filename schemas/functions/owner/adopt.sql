-- Moves the open runs of one version of a flow to another version, by default the one that starts take (V3, V5): those
-- that no worker holds at once, the others when they are released or their worker ends, and from now on new ones too.
-- Repeating the call does no harm; adopting in the opposite direction reverts it.
-- Returns the version that the runs continue with, how many were moved, and how many are still held by workers.
-- Errors: WR002 no such flow or version; WR003 a version cannot adopt itself; WR005 the versions are not compatible,
-- and the message names the first difference.
create or replace function weir.adopt(flow text, from_version integer, to_version integer default null)
returns table (version integer, moved bigint, held bigint)
language plpgsql
set jit = off
as $$
#variable_conflict use_column
declare
  v_from   weir.version%rowtype;
  v_to     weir.version%rowtype;
  v_reason text;
begin
  select v.* into v_from
  from weir.version v
  join weir.flow f on f.id = v.flow_id
  where f.slug = adopt.flow and v.number = adopt.from_version;
  if found then
    select v.* into v_to from weir.version v
    where v.flow_id = v_from.flow_id and v.id = coalesce(
      (select n.id from weir.version n where n.flow_id = v_from.flow_id and n.number = adopt.to_version),
      case when adopt.to_version is null then weir.version_for_starts(v_from.flow_id) end);
  end if;
  if v_to.id is null then
    raise exception using errcode = 'WR002',
      message = format('no flow "%s" version %s in this database', flow,
                       case when v_from.id is null then from_version else to_version end),
      hint = coalesce((select 'the newest version is ' || max(v.number)
                       from weir.version v
                       join weir.flow f on f.id = v.flow_id
                       where f.slug = adopt.flow),
                      'a flow is known once a worker has loaded it');
  end if;
  if v_from.id = v_to.id then
    raise exception using errcode = 'WR003',
      message = format('version %s of flow "%s" is the one its runs continue with', from_version, flow),
      hint = 'name two versions';
  end if;
  v_reason := weir.incompatibility(v_from.id, v_to.id);
  if v_reason is not null then
    raise exception using errcode = 'WR005',
      message = format('open runs of flow "%s" version %s cannot continue with version %s: %s',
                       flow, v_from.number, v_to.number, v_reason),
      hint = 'they end with the version they began with, as long as a worker has it';
  end if;

  -- One after the other: two calls in opposite directions would not see each other's rule.
  perform from weir.flow f where f.id = v_from.flow_id for no key update;
  -- No version is both the source and the target of a rule: rules are one step long.
  delete from weir.adoption a where a.from_version = v_to.id;
  update weir.adoption a set to_version = v_to.id where a.to_version = v_from.id;
  insert into weir.adoption (from_version, to_version) values (v_from.id, v_to.id)
  on conflict (from_version) do update set to_version = excluded.to_version;

  version := v_to.number;
  select coalesce(sum(weir.move_adopted(a.from_version, a.to_version)), 0) into moved
  from weir.adoption a where a.to_version = v_to.id;
  select count(*) into held
  from weir.open_run o
  join weir.adoption a on a.from_version = o.version_id
  where a.to_version = v_to.id;
  if moved > 0 then perform weir.wake_workers(); end if;
  return next;
end $$;
comment on function weir.adopt is 'moves the open runs of one version of a flow to another, compatible one';

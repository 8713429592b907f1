-- What on_new_version: adopt means for one version: the open runs of every older version of the flow continue with it
-- (V3). Nothing is done when this version was adopted by another one; older versions that it has adopted before are
-- left out. Returns a row for each older version that had open runs; `refusal` says why its runs stay.
-- Errors: WR002 no such version; lock_not_available while somebody adopts in an open transaction: then repeat the call.
create or replace function weir.adopt_older(p_version integer)
returns table (version integer, moved bigint, held bigint, refusal text)
language plpgsql
set lock_timeout = '100ms'  -- somebody may be adopting in an open transaction (L8)
as $$
#variable_conflict use_column
declare
  v_new   weir.version%rowtype;
  v_flow  text;
  v_older weir.version%rowtype;
begin
  select v.* into v_new from weir.version v where v.id = p_version;
  if not found then
    raise exception 'no version % in this database', coalesce(p_version::text, 'null') using errcode = 'WR002',
      hint = 'weir.register_version returns the numbers of versions';
  end if;
  select f.slug into strict v_flow from weir.flow f where f.id = v_new.flow_id;
  if exists (select from weir.adoption a where a.from_version = p_version) then return; end if;
  for v_older in
    select v.*
    from weir.version v
    where v.flow_id = v_new.flow_id and v.number < v_new.number
      and not exists (select from weir.adoption a where a.from_version = v.id and a.to_version = v_new.id)
      and exists (select from weir.open_run o where o.version_id = v.id)
    order by v.number
  loop
    version := v_older.number;
    moved := 0;
    held := 0;
    refusal := weir.incompatibility(v_older.id, v_new.id);
    if refusal is null then
      select a.moved, a.held into moved, held from weir.adopt(v_flow, v_older.number, v_new.number) as a;
    end if;
    return next;
  end loop;
end $$;
comment on function weir.adopt_older is 'moves the open runs of all older versions of a flow to one version';

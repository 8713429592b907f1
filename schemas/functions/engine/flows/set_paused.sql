-- Pauses a flow, or resumes it. Returns false when it was in that state already. All live workers are notified at once.
-- Errors: WR002 no such flow.
create or replace function weir.set_paused(p_flow text, p_paused boolean) returns boolean
language plpgsql as $$
declare
  v_flow weir.flow%rowtype;
begin
  select * into v_flow from weir.flow f where f.slug = p_flow for no key update;
  if not found then
    raise exception 'no flow "%" in this database', p_flow using errcode = 'WR002',
      hint = coalesce((select 'known flows: ' || string_agg(f.slug, ', ' order by f.slug) from weir.flow f),
                      'no flow is registered yet: a worker registers those it has loaded');
  end if;
  if (v_flow.paused_at is not null) = p_paused then return false; end if;
  update weir.flow f set paused_at = case when p_paused then now() end where f.id = v_flow.id;
  perform pg_notify('weir_told', w.id::text)
  from weir.worker w
  where w.ended_at is null and w.lease_until > now();
  return true;
end $$;
comment on function weir.set_paused is 'pauses a flow, or resumes it';

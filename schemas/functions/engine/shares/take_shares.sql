-- Gives a worker shares of these versions, by priority and age: at most `count`, and only of the named steps if it
-- cannot run all of them. The row of each share says what to run: the indexes of the elements and, in the same order,
-- an array of their inputs. run_input is null where the run is among `known_runs` or has an earlier row. Shares of
-- paused flows are not given (C2).
-- A worker that holds a trial (F10) is given, one after the other, those that it took over from crashed workers.
-- If the answer to this call was lost, held_shares returns what the worker has taken; the worker returns it (L6).
-- Errors: WR001 lease lost.
create or replace function weir.take_shares(
  worker bigint, versions integer[], count integer default 1, steps text[] default null,
  known_runs bigint[] default '{}')
returns table (
  share bigint, run bigint, run_id uuid, flow text, version integer, "position" smallint, step text, attempt smallint,
  indexes integer[], inputs jsonb, run_input jsonb)
language plpgsql
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off  -- by key
as $$
#variable_conflict use_column
declare
  v_share weir.share%rowtype;
  v_taken integer := 0;
  v_known bigint[] := known_runs;
  v_from  bigint := 0;  -- whose they are now; 0: nobody's
begin
  perform set_config('synchronous_commit', 'off', true);  -- if a crash loses it, the share can be taken again
  perform weir.check_lease(worker);
  if exists (select from weir.worker w where w.id = worker and w.trial_of is not null) then v_from := worker; end if;
  for v_share in
    with candidate as materialized (
      select c.id, c.priority
      from unnest(versions) as v(id)
      join weir.version d on d.id = any (array[v.id])
      join weir.flow f on f.id = any (array[d.flow_id]) and f.paused_at is null
      cross join lateral (
        select s.id, s.priority
        from weir.share s
        where s.version_id = v.id and s.worker_id is null and v_from = 0
          and (steps is null or exists (
                 select from weir.step t
                 where t.version_id = s.version_id and t.position = s.step and t.slug = any (steps)))
        order by s.priority desc, s.id
        limit take_shares.count + 16) as c  -- others may be taking the first ones
      union all
      select s.id, s.priority
      from weir.share s
      where s.worker_id = v_from and s.version_id = any (versions)
      order by priority desc, id
      limit take_shares.count + 16)
    -- coalesce keeps the planner from share_to_be_had: these rows are to be read by key.
    select s.*
    from candidate c
    join weir.share s on s.id = any (array[c.id])
    join weir.open_run o on o.run_id = any (array[s.run_id]) and o.version_id = s.version_id
    where coalesce(s.worker_id, 0) = v_from
    order by c.priority desc, c.id
    limit take_shares.count
    for update of s skip locked
  loop
    select array_agg(i order by i) into indexes
    from generate_series(v_share.first_index, v_share.last_index) as i
    where not i = any (array(
      select j.task_index
      from weir.journal j
      where j.run_id = v_share.run_id and j.step = v_share.step
        and j.task_index between v_share.first_index and v_share.last_index and j.attempt >= v_share.attempt));
    if indexes is null then
      delete from weir.share s where s.id = v_share.id;
      continue;
    end if;
    update weir.share s
    set worker_id = worker, taken_at = clock_timestamp(), open = cardinality(indexes)
    where s.id = v_share.id;
    v_taken := v_taken + 1;

    select v_share.id, v_share.run_id, r.uuid, f.slug, v_share.version_id, v_share.step, t.slug, v_share.attempt,
           case when cardinality(indexes) = jsonb_array_length(v_share.inputs) then v_share.inputs
                else (select jsonb_agg(v_share.inputs -> (i - v_share.first_index) order by i)
                      from unnest(indexes) as i) end,
           case when v_share.run_id = any (v_known) then null else r.input end
    into share, run, run_id, flow, version, "position", step, attempt, inputs, run_input
    from weir.run r
    join weir.version d on d.id = v_share.version_id
    join weir.flow f on f.id = any (array[d.flow_id])
    join weir.step t on t.version_id = v_share.version_id and t.position = v_share.step
    where r.id = v_share.run_id;
    v_known := v_known || v_share.run_id;
    return next;
  end loop;

  -- For a worker that makes no exchanges this records that it has slots free, so that new shares wake it.
  update weir.worker w
  set idle = v_taken < take_shares.count
  where w.id = worker and w.sequence = 0 and w.idle <> (v_taken < take_shares.count);
end $$;
comment on function weir.take_shares is 'gives a worker ranges of map elements of runs that others own';

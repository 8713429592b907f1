-- Declares workers dead whose lease has lapsed, one after the other (L3): what each had in flight is journaled as lost
-- (F1), its runs are released, and everything that it sends from now on is refused. A run or a share that a transaction
-- of somebody else has locked, such as one in which a handler has settled an attempt (C9), is left, with its worker, to
-- the next sweep. After an outage leases count from its end (L1). Where a standby has taken over since the worker
-- joined, nothing is journaled: what the worker did last may be lost, its leaving too (F11). What a crashed worker
-- keeps for a trial that did not come is released, and nothing is charged (F10). Returns how many workers were declared
-- dead.
create or replace function weir.sweep() returns integer
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
declare
  v_called timestamptz := clock_timestamp();  -- the server may stand still after weir.notice_outage
  v_dead   weir.worker%rowtype;
  v_held   bigint[];
  v_shares bigint[];
  v_count  integer := 0;
  v_moved  bigint;
begin
  perform weir.notice_outage();
  perform from weir.uptime u where u.singleton for update skip locked;
  if not found then return 0; end if;  -- somebody else sweeps at this moment
  perform weir.spare_workers();
  update weir.uptime u set swept_at = clock_timestamp() where u.singleton;
  for v_dead in
    select * from weir.worker w
    where w.ended_at is null and w.lease_until <= v_called
    order by w.id
    for update skip locked
  loop
    v_held := weir.lock_runs(v_dead.id, false);
    v_shares := weir.lock_shares(v_dead.id, false);
    insert into weir.journal
      (run_id, step, task_index, attempt, outcome, error_code, error, started_at, ended_at, worker_id, plugin_id)
    select f.run_id, f.step, f.task_index, f.attempt, weir.outcome('lost'), 'lost',
           format('worker %s on %s (pid %s) vanished while this ran', v_dead.id, v_dead.host, v_dead.pid),
           v_dead.lease_until, clock_timestamp(), v_dead.id, f.plugin_id
    from weir.in_flight_of(v_dead.id) as f
    where v_dead.timeline = weir.timeline()
      and coalesce((select s.id = any (v_shares)  -- also of a run of its own: a handler may have locked the share alone
                    from weir.share s
                    where s.worker_id = v_dead.id and s.run_id = any (array[f.run_id]) and s.step = f.step
                      and s.attempt = f.attempt and f.task_index between s.first_index and s.last_index
                    limit 1),
                   f.run_id = any (v_held))
    on conflict do nothing;  -- it reported an attempt that it had journaled: the others are swept all the same

    if not weir.release_runs(v_dead.id, v_held, v_shares) then
      update weir.worker w set lease = '0' where w.id = v_dead.id;  -- no outage gives it another one
      continue;
    end if;

    update weir.worker w
    set ended_at = clock_timestamp(), end_reason = 'lapsed', idle = false,
        in_flight_run = '{}', in_flight_step = '{}', in_flight_index = '{}', in_flight_attempt = '{}',
        in_flight_plugin = '{}'
    where w.id = v_dead.id;
    v_count := v_count + 1;
  end loop;

  perform weir.free_suspects();

  -- Runs that were started or released at the moment of an adoption.
  select coalesce(sum(weir.move_adopted(a.from_version, a.to_version)), 0) into v_moved
  from weir.adoption a
  where exists (select from weir.open_run o
                where o.version_id = a.from_version and o.worker_id is null and o.wake_at is null);

  if v_count + v_moved > 0 then perform weir.wake_workers(); end if;
  return v_count;
end $$;
comment on function weir.sweep is 'declares workers dead whose lease has lapsed, and releases what they held';

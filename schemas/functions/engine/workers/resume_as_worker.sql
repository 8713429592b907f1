-- Lets a worker continue after a crash of the server has lost commits of it, which weir.exchange has told by WR007:
-- those that nobody waited for (synchronous_commit off), in which it settled, ended and released nothing. What it
-- claimed in them is not its own: it drops what is not among the runs that this returns, and goes on with p_sequence +
-- 1. p_sequence is above that of every call that it has made, so that one which arrives late is refused. p_settled is
-- its last call that the database waited for. The call can be repeated.
-- Errors: WR001 lease lost; or more was lost than that: the worker gives back what it holds. WR003 a number is null.
create or replace function weir.resume_as_worker(
  p_worker bigint, p_sequence bigint, p_settled bigint, p_lease_ms bigint)
returns bigint[]
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
declare
  v_seen bigint;
begin
  if p_sequence is null or p_settled is null then
    raise exception 'worker % resumes at % after %', coalesce(p_worker::text, 'null'),
      coalesce(p_sequence::text, 'null'), coalesce(p_settled::text, 'null')
      using errcode = 'WR003', hint = 'the numbers of its last exchange, and of the last that settled something';
  end if;
  perform weir.renew(p_worker, p_lease_ms);
  select w.sequence into v_seen from weir.worker w where w.id = p_worker;
  if v_seen < p_settled or v_seen > p_sequence then
    raise exception 'the database has lost what worker % has settled', p_worker using errcode = 'WR001',
      hint = 'it gives back what it holds, and joins again as a new worker';
  end if;
  update weir.worker w set sequence = p_sequence where w.id = p_worker;
  return array(select o.run_id from weir.open_run o where o.worker_id = p_worker);
end $$;
comment on function weir.resume_as_worker is
  'lets a worker continue after a crash of the server has lost commits of it';

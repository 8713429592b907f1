-- Gives a worker that holds a trial (F10) the runs and shares that crashed workers keep for it, of these versions
-- without the paused ones: the part of weir.exchange that claims. They go from one worker to the other, so that nobody
-- else has them in between, and no run gives up its place under limits.
-- `claims`: how many workers each of the claimed runs has had.
create or replace function weir.claim_suspects(
  p_worker bigint, p_sequence bigint, p_trial_of bigint[], p_versions integer[], p_paused integer[],
  out claimed bigint[], out claims integer[])
language plpgsql
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
begin
  with kept as materialized (
    select o.run_id
    from weir.worker w
    join weir.open_run o on o.worker_id = any (array[w.id])
    where w.id = any (p_trial_of) and w.keeps_runs
      and o.version_id = any (p_versions) and (p_paused is null or o.version_id <> all (p_paused))
    order by o.run_id
    for update of o skip locked),
  taken as (
    update weir.open_run o
    set worker_id = p_worker, claimed_in = p_sequence, claims = o.claims + 1, news_heard = 0
    from kept k
    where o.run_id = any (array[k.run_id])
    returning o.run_id, o.claims)
  select coalesce(array_agg(t.run_id), '{}'), array_agg(t.claims) into claimed, claims from taken t;
  with kept as materialized (
    select s.id
    from weir.worker w
    join weir.share s on s.worker_id = any (array[w.id])
    where w.id = any (p_trial_of) and w.keeps_runs
      and s.version_id = any (p_versions) and (p_paused is null or s.version_id <> all (p_paused))
    order by s.id
    for update of s skip locked)
  update weir.share s
  set worker_id = p_worker, taken_at = clock_timestamp()
  from kept k
  where s.id = any (array[k.id]);
end $$;
comment on function weir.claim_suspects is
  'gives a worker that holds a trial what crashed workers keep for it';

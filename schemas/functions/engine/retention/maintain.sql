-- Maintenance that some process has to do from time to time: makes the journal's next partitions, updates open runs of
-- flows whose limits changed, and removes rates of keys that have no effect any more. Cheap when there is nothing to
-- do. Returns whether it is the caller's turn to prune: every `prune_every` one of the callers has it; null asks for no
-- turn. A call that makes partitions, for which it locks the journal, does nothing else: it locks no row that somebody
-- who waits for the journal has locked before.
create or replace function weir.maintain(prune_every interval) returns boolean
language plpgsql as $$
begin
  begin
    if weir.add_journal_partitions() > 0 then return false; end if;
  exception when lock_not_available then null;  -- the next call makes them
  end;
  perform weir.settle_limits();
  delete from weir.key_rate k
  where (k.flow_id, k.key) in (
    select o.flow_id, o.key
    from weir.key_rate o
    where o.tat < clock_timestamp()
    limit 10000
    for update skip locked);
  update weir.upkeep u
  set prune_at = clock_timestamp() + prune_every
  where u.prune_at <= clock_timestamp() and prune_every is not null;
  return found;
end $$;
comment on function weir.maintain is 'maintenance from time to time; true: it is the caller''s turn to prune';

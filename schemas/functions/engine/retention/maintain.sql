-- What somebody has to see to now and then: the journal's next partitions, open runs whose flow's limits changed,
-- rates of keys that mean nothing any more. Cheap when there is nothing to do. Returns whether the turn to look for what
-- is old is the caller's: given to one of those who ask, every `prune_every`; null asks for no turn.
create or replace function weir.maintain(prune_every interval) returns boolean
language plpgsql as $$
begin
  begin
    perform weir.add_journal_partitions();
  exception when lock_not_available then null;  -- the next call will
  end;
  perform weir.settle_limits();
  delete from weir.key_rate k
  where (k.flow_id, k.key) in (select o.flow_id, o.key from weir.key_rate o where o.tat < clock_timestamp() limit 10000
                               for update skip locked);
  update weir.upkeep u set prune_at = clock_timestamp() + prune_every where u.prune_at <= clock_timestamp() and prune_every is not null;
  return found;
end $$;
comment on function weir.maintain is 'what somebody has to see to now and then; true: the caller is to look for what is old';

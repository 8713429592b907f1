-- How many runs share a partition of the journal. A constant: the partitions that exist were made with it.
create or replace function weir.journal_range() returns bigint
language sql immutable parallel safe as $$ select 10000000::bigint $$;
comment on function weir.journal_range is 'how many runs share a partition of the journal';

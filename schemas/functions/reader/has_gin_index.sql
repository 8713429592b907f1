-- Whether an operator gave this column of weir.run a GIN index, for weir.newest_runs.
create or replace function weir.has_gin_index(p_column name)
returns boolean
language sql stable
return exists (
  select
  from pg_catalog.pg_index i
  join pg_catalog.pg_class c on c.oid = i.indexrelid
  join pg_catalog.pg_am m on m.oid = c.relam
  join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
  where i.indrelid = 'weir.run'::regclass and i.indisvalid and i.indpred is null
    and m.amname = 'gin' and a.attname = p_column);
comment on function weir.has_gin_index is 'whether a column of weir.run has a GIN index';

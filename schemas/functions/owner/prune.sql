-- Deletes one batch of finished runs that ended longer ago than `older_than`, of one flow or of all (C7), with all
-- that is kept of them. Call it again with the next_after and next_whole_until that it returned until `finished`, each
-- call in a transaction of its own, as weir.prune_all does. Never deletes an open run.
-- Errors: WR002 no such flow; WR003 an age or a batch out of range.
create or replace function weir.prune(
  older_than interval, flow text default null, batch integer default 1000, after bigint default 0,
  whole_until bigint default 0, dry_run boolean default false,
  out runs bigint, out journal_rows bigint, out partitions integer, out workers bigint,
  out next_after bigint, out next_whole_until bigint, out finished boolean)
language plpgsql
set jit = off
as $$
#variable_conflict use_column
begin
  if older_than is null or older_than < '0' then
    raise exception 'older_than: % is no age', coalesce(older_than::text, 'null')
      using errcode = 'WR003', hint = 'such as 30 days';
  end if;
  if batch is null or batch not between 1 and 100000 then
    raise exception 'batch: % is out of range', coalesce(batch::text, 'null')
      using errcode = 'WR003', hint = 'from 1 to 100000';
  end if;
  if prune.flow is not null and not exists (select from weir.flow f where f.slug = prune.flow) then
    raise exception 'no flow "%" in this database', prune.flow using errcode = 'WR002',
      hint = coalesce((select 'known flows: ' || string_agg(f.slug, ', ' order by f.slug) from weir.flow f),
                      'there is none yet');
  end if;
  select b.runs, b.journal_rows, b.partitions, b.workers, b.after, b.whole_until, b.finished
  into runs, journal_rows, partitions, workers, next_after, next_whole_until, finished
  from weir.prune_batch(case when prune.flow is null then older_than end,
                        case when prune.flow is null then '{}' else array[prune.flow] end,
                        case when prune.flow is null then '{}' else array[older_than] end,
                        batch, prune.after, prune.whole_until, dry_run) as b;
end $$;
comment on function weir.prune is
  'deletes one batch of finished runs that ended longer ago than an age; to be repeated until finished';

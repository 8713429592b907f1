-- The first run that was created at this time or later, by halving: runs are numbered in the order of their creation,
-- but for statements that overlap, so that some minutes are to be added or taken off where none may be missed. The
-- number after the last run when there is none; null for no time.
create or replace function weir.first_run_since(p_time timestamptz) returns bigint
language plpgsql stable strict
set jit = off set enable_seqscan = off  -- by key, whatever the statistics say
as $$
declare
  v_low     bigint := coalesce((select min(r.id) from weir.run r), 1);
  v_high    bigint := coalesce((select max(r.id) from weir.run r), 0) + 1;
  v_middle  bigint;
  v_created timestamptz;
begin
  while v_low < v_high loop  -- the answer is from v_low to v_high
    v_middle := v_low + (v_high - v_low) / 2;
    select r.created_at into v_created from weir.run r where r.id >= v_middle order by r.id limit 1;
    if v_created < p_time then
      v_low := v_middle + 1;
    else
      v_high := v_middle;
    end if;
  end loop;
  return v_low;
end $$;
comment on function weir.first_run_since is 'the first run that was created at this time or later';

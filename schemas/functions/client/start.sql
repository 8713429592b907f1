-- Starts one run (S1); see weir.start_many.
create or replace function weir.start(
  flow text, input jsonb, idempotency_key text default null, delay interval default null,
  at timestamptz default null, priority integer default 0, version integer default null, tags text[] default '{}',
  run_id uuid default null)
returns table (run_id uuid, created boolean)
language sql as $$
  select s.run_id, s.created
  from weir.start_many($1, array[$2], array[$3], $4, $5, $6, $7, $8, array[$9]) as s
$$;
comment on function weir.start is 'starts one run of a flow, in the caller''s transaction';

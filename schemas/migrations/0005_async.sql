-- Owners of wide maps offer ranges by the room that a worker has for calls that are deferred (A4, L7).
alter table weir.worker add column async_calls integer check (async_calls >= 0);
comment on column weir.worker.async_calls is
  'how many deferred calls it may have beside its slots; null: it did not say, so it counts as having no room';

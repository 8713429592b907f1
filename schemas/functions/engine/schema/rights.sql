-- Who may call what: schemas/roles grants it. Of weir_client what starts runs and tells them something, of
-- weir_worker what a worker calls; everybody reads views that need functions. What is not here is called by these
-- alone, or by the schema's owner.
create or replace function weir.rights() returns table (role text, function text)
language sql immutable as $$
  values
    ('weir_reader', 'steps_of'), ('weir_reader', 'newest_version'), ('weir_reader', 'journal_of'),
    ('weir_reader', 'newest_runs'), ('weir_reader', 'cron_next'), ('weir_reader', 'outcome'),
    ('weir_reader', 'outcomes'),
    ('weir_client', 'start'), ('weir_client', 'start_many'), ('weir_client', 'cancel'), ('weir_client', 'signal'),
    ('weir_client', 'retry'), ('weir_client', 'pause'), ('weir_client', 'resume'),
    ('weir_client', 'schedule'), ('weir_client', 'unschedule'), ('weir_client', 'pause_schedule'),
    ('weir_client', 'resume_schedule'), ('weir_client', 'listen'), ('weir_client', 'listen_no_more'),
    ('weir_worker', 'register_version'), ('weir_worker', 'register_plugin'), ('weir_worker', 'set_limits'),
    ('weir_worker', 'join_as_worker'), ('weir_worker', 'exchange'), ('weir_worker', 'start_child'), ('weir_worker', 'close_waits'),
    ('weir_worker', 'settle'), ('weir_worker', 'resolve_settlement'), ('weir_worker', 'serve_versions'), ('weir_worker', 'adopt_older'),
    ('weir_worker', 'report_plugins'), ('weir_worker', 'sweep'), ('weir_worker', 'leave_as_worker'),
    ('weir_worker', 'end_crashed_worker'), ('weir_worker', 'tick'), ('weir_worker', 'newest_version'),
    ('weir_worker', 'helpers_for'), ('weir_worker', 'offer_shares'), ('weir_worker', 'take_back_shares'),
    ('weir_worker', 'fetch_share_results'), ('weir_worker', 'drop_shares'), ('weir_worker', 'take_shares'),
    ('weir_worker', 'held_shares'), ('weir_worker', 'settle_share'), ('weir_worker', 'return_share'),
    ('weir_worker', 'renew'), ('weir_worker', 'serve_flow'), ('weir_worker', 'maintain'), ('weir_worker', 'prune_batch')
$$;
comment on function weir.rights is 'who may call what';

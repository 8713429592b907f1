-- Which role may call which function; schemas/roles grants it. weir_client may call what starts runs and sends them
-- requests, weir_worker what a worker calls. weir_reader may call what the views need and what reads; weir_client may
-- too. Functions that are not here are called by these, or by the schema's owner.
create or replace function weir.rights() returns table (role text, function text)
language sql immutable as $$
  values
    ('weir_reader', 'cron_next'),
    ('weir_reader', 'first_run_since'),
    ('weir_reader', 'has_gin_index'),
    ('weir_reader', 'journal_of'),
    ('weir_reader', 'newest_runs'),
    ('weir_reader', 'outcome'),
    ('weir_reader', 'outcomes'),
    ('weir_reader', 'output_of_map'),
    ('weir_reader', 'steps_of'),
    ('weir_reader', 'version_for_starts'),
    ('weir_reader', 'why_waiting'),

    ('weir_client', 'cancel'),
    ('weir_client', 'listen'),
    ('weir_client', 'listen_no_more'),
    ('weir_client', 'pause'),
    ('weir_client', 'pause_schedule'),
    ('weir_client', 'resume'),
    ('weir_client', 'resume_schedule'),
    ('weir_client', 'retry'),
    ('weir_client', 'schedule'),
    ('weir_client', 'signal'),
    ('weir_client', 'start'),
    ('weir_client', 'start_many'),
    ('weir_client', 'unschedule'),

    -- A worker's life and its runs.
    ('weir_worker', 'close_waits'),
    ('weir_worker', 'end_crashed_worker'),
    ('weir_worker', 'exchange'),
    ('weir_worker', 'give_up_trial'),
    ('weir_worker', 'join_as_worker'),
    ('weir_worker', 'leave_as_worker'),
    ('weir_worker', 'record_large_end'),
    ('weir_worker', 'record_large_result'),
    ('weir_worker', 'renew'),
    ('weir_worker', 'resolve_settlement'),
    ('weir_worker', 'resume_as_worker'),
    ('weir_worker', 'settle'),
    ('weir_worker', 'start_child'),
    ('weir_worker', 'start_children'),
    ('weir_worker', 'sweep'),
    -- Flows and plugins.
    ('weir_worker', 'adopt_older'),
    ('weir_worker', 'register_plugin'),
    ('weir_worker', 'register_version'),
    ('weir_worker', 'report_plugins'),
    ('weir_worker', 'serve_flow'),
    ('weir_worker', 'serve_versions'),
    ('weir_worker', 'set_limits'),
    ('weir_worker', 'version_for_starts'),
    -- Shares.
    ('weir_worker', 'drop_shares'),
    ('weir_worker', 'fetch_share_results'),
    ('weir_worker', 'held_shares'),
    ('weir_worker', 'helpers_for'),
    ('weir_worker', 'offer_shares'),
    ('weir_worker', 'return_share'),
    ('weir_worker', 'settle_share'),
    ('weir_worker', 'take_back_shares'),
    ('weir_worker', 'take_shares'),
    -- Schedules and retention.
    ('weir_worker', 'maintain'),
    ('weir_worker', 'prune_batch'),
    ('weir_worker', 'tick')
$$;
comment on function weir.rights is 'which role may call which function';

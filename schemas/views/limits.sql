create or replace view weir.limits as
select f.slug as flow, l.max_running, l.rate, l.rate_per, l.key, l.key_max_running, l.key_rate, l.key_rate_per,
       l.by_config,
       (select count(*)
        from weir.open_run o
        where o.limit_flow = l.flow_id and o.worker_id is not null) as running
from weir.flow_limit l
join weir.flow f on f.id = l.flow_id;
comment on view weir.limits is 'the flows that have limits, and how many of their runs are held by workers';
comment on column weir.limits.flow is 'slug of the flow';
comment on column weir.limits.max_running is 'how many of its runs workers hold at most; null: any number';
comment on column weir.limits.rate is 'how many of its runs are claimed at most per rate_per; null: any number';
comment on column weir.limits.rate_per is 'the interval of rate';
comment on column weir.limits.key is 'JSON pointer to the part of the input by which the limits for a key count';
comment on column weir.limits.key_max_running is 'max_running for each key';
comment on column weir.limits.key_rate is 'rate for each key';
comment on column weir.limits.key_rate_per is 'the interval of key_rate';
comment on column weir.limits.by_config is 'they were set by a worker''s configuration, not by a command';
comment on column weir.limits.running is 'how many of its runs workers hold now';

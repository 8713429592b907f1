create or replace view weir.limits as
select f.slug as flow, l.max_running, l.rate, l.rate_per, l.key, l.key_max_running, l.key_rate, l.key_rate_per, l.by_config,
       (select count(*) from weir.open_run o where o.limit_flow = l.flow_id and o.worker_id is not null) as running
from weir.flow_limit l
join weir.flow f on f.id = l.flow_id;
comment on view weir.limits is 'the flows that have limits, and how many of their runs workers hold';
comment on column weir.limits.flow is 'slug of the flow';
comment on column weir.limits.max_running is 'how many of its runs workers hold at most; null: any number';
comment on column weir.limits.rate is 'how many of its runs are begun in rate_per at most; null: any number';
comment on column weir.limits.rate_per is 'the interval that rate is for';
comment on column weir.limits.key is 'JSON pointer to what in the input the limits by key go by';
comment on column weir.limits.key_max_running is 'as max_running, for each key';
comment on column weir.limits.key_rate is 'as rate, for each key';
comment on column weir.limits.key_rate_per is 'the interval that key_rate is for';
comment on column weir.limits.by_config is 'a worker''s configuration says so, not a command';
comment on column weir.limits.running is 'how many of its runs workers hold now';

create or replace view weir.limits as
select f.slug as flow, l.max_running, l.rate, l.rate_per, l.key, l.key_max_running, l.key_rate, l.key_rate_per, l.by_config,
       (select count(*) from weir.open_run o where o.limit_flow = l.flow_id and o.worker_id is not null) as running
from weir.flow_limit l
join weir.flow f on f.id = l.flow_id;
comment on view weir.limits is 'the flows that have limits, and how many of their runs workers hold';

-- Why runs of one version cannot continue with another: the first difference in steps, kinds, dependencies, conditions,
-- fallbacks, signals or child flows, in the order of the new version; null when there is none (V3). Options may differ.
create or replace function weir.incompatibility(p_from integer, p_to integer) returns text
language sql stable as $$
  with step as (
    select s.version_id, s.position, s.slug, s.kind, s.when_unmet, s.when_exhausted, s.signal, s.child_flow,
           coalesce(left(s.only_if::text, 200), 'none') as only_if,
           coalesce(left(s.unless::text, 200), 'none') as unless,
           (s.only_if, s.unless) as patterns,
           (select coalesce(string_agg(format('"%s"', d.slug), ', ' order by d.slug), 'nothing')
            from weir.step d
            where d.version_id = s.version_id and d.position = any (s.depends_on)) as waits_for
    from weir.step s
    where s.version_id in (p_from, p_to)),
  difference as (
    select coalesce(n.position, o.position) as position, n.position is null as gone,
           case when o.slug is null then format('step "%s" is new', n.slug)
                when n.slug is null then format('step "%s" is gone', o.slug)
                when n.kind <> o.kind then format('step "%s" is of kind %s, it was of kind %s', n.slug, n.kind, o.kind)
                when n.waits_for <> o.waits_for then
                  format('step "%s" waits for %s, it waited for %s', n.slug, n.waits_for, o.waits_for)
                when n.only_if <> o.only_if then
                  format('step "%s" has only_if %s, it had %s', n.slug, n.only_if, o.only_if)
                when n.unless <> o.unless then
                  format('step "%s" has unless %s, it had %s', n.slug, n.unless, o.unless)
                when n.patterns is distinct from o.patterns then
                  format('step "%s" has another condition', n.slug)
                when n.when_unmet <> o.when_unmet then
                  format('step "%s" has when_unmet %s, it had %s', n.slug, n.when_unmet, o.when_unmet)
                when n.when_exhausted <> o.when_exhausted then
                  format('step "%s" has when_exhausted %s, it had %s', n.slug, n.when_exhausted, o.when_exhausted)
                when n.signal <> o.signal then
                  format('step "%s" waits for the signal "%s", it waited for "%s"', n.slug, n.signal, o.signal)
                when n.child_flow <> o.child_flow then
                  format('step "%s" starts flow "%s", it started "%s"', n.slug, n.child_flow, o.child_flow)
                when n.position <> o.position then
                  format('step "%s" has another position', n.slug) end as words
    from (select * from step where version_id = p_from) as o
    full join (select * from step where version_id = p_to) as n on n.slug = o.slug)
  select d.words
  from difference d
  where d.words is not null
  order by d.position, d.gone
  limit 1
$$;
comment on function weir.incompatibility is 'why runs of one version cannot continue with another; null: they can';

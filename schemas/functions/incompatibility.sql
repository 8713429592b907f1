-- Why runs of one version cannot go on with another: the first difference of steps, kinds or dependencies, in
-- the new one's order; null when there is none (V3). Options may differ.
create or replace function weir.incompatibility(p_from integer, p_to integer) returns text
language sql stable as $$
  with step as (
    select s.version_id, s.position, s.slug, s.kind,
           (select coalesce(string_agg(format('"%s"', d.slug), ', ' order by d.slug), 'nothing') from weir.step d
            where d.version_id = s.version_id and d.position = any (s.depends_on)) as waits_for
    from weir.step s where s.version_id in (p_from, p_to)),
  difference as (
    select coalesce(n.position, o.position) as position, n.position is null as gone,
           case when o.slug is null then format('step "%s" is new', n.slug)
                when n.slug is null then format('step "%s" is gone', o.slug)
                when n.kind <> o.kind then format('step "%s" is of kind %s, it was of kind %s', n.slug, n.kind, o.kind)
                when n.waits_for <> o.waits_for then
                  format('step "%s" waits for %s, it waited for %s', n.slug, n.waits_for, o.waits_for)
                when n.position <> o.position then format('step "%s" stands elsewhere', n.slug) end as words
    from (select * from step where version_id = p_from) as o
    full join (select * from step where version_id = p_to) as n on n.slug = o.slug)
  select d.words from difference d where d.words is not null order by d.position, d.gone limit 1
$$;

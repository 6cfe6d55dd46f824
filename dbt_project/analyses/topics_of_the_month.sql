-- Which topics are on more of the newest month's papers than before, in points of percent?
with

keywords as (
    select
        papers.paper_id,
        lower(unnest(papers.ai_keywords)) as keyword,
        papers.first_listed_on > newest.list_date - 28 as is_new
    from marts.papers as papers
    cross join (select max(list_date) as list_date from marts.listings) as newest
),

totals as (
    select
        count(distinct paper_id) filter (where is_new) as new_count,
        count(distinct paper_id) filter (where not is_new) as old_count
    from keywords
),

shares as (
    select
        keywords.keyword,
        count(distinct keywords.paper_id) filter (where keywords.is_new) as new_paper_count,
        100.0 * new_paper_count / any_value(totals.new_count) as new_pct,
        100.0 * count(distinct keywords.paper_id) filter (where not keywords.is_new)
        / nullif(any_value(totals.old_count), 0) as old_pct
    from keywords
    cross join totals
    group by keywords.keyword
)

select
    keyword,
    new_paper_count,
    round(new_pct, 2) as new_pct,
    round(coalesce(old_pct, 0), 2) as old_pct,
    round(new_pct - coalesce(old_pct, 0), 2) as risen_points
from shares
where new_paper_count > 1
order by risen_points desc, keyword
limit 20

-- Which topics rise in the newest week, and on what share of its papers are they?
select
    iso_week,
    keyword,
    paper_count,
    round(100 * paper_share, 1) as paper_pct,
    round(100 * earlier_paper_share, 1) as earlier_pct
from marts.keyword_weeks
where
    week_date = (select max(keyword_weeks.week_date) from marts.keyword_weeks)
    and trend = 'rising'
order by paper_share - earlier_paper_share desc, keyword
limit 20

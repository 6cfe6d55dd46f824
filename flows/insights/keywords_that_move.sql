-- Which keywords have a larger or smaller share of a week's papers than in the four weeks before?
with

weeks as (
    select
        strftime(week_date, '%G-W%V') as week,
        keyword,
        paper_count,
        earlier_paper_count,
        round(100 * paper_share, 1) as paper_pct,
        round(100 * earlier_paper_share, 1) as earlier_paper_pct,
        round(100 * (paper_share - coalesce(earlier_paper_share, 0)), 1) as change_points
    from marts.keyword_weeks
    where
        week_date = (
            -- the newest whole week that has weeks before it
            select max(week_date)
            from marts.keyword_weeks
            where
                week_date + 4 <= (select max(list_date) from marts.listings)
                and earlier_paper_share is not null
        )
        and earlier_paper_share is not null
),

ranked as (
    select
        *,
        row_number() over (order by change_points desc, keyword) as rise,
        row_number() over (order by change_points, keyword) as fall
    from weeks
)

select
    keyword,
    paper_count,
    earlier_paper_count,
    paper_pct,
    earlier_paper_pct,
    change_points,
    week
from ranked
where (rise <= 8 and change_points > 0) or (fall <= 8 and change_points < 0)
order by change_points desc, keyword

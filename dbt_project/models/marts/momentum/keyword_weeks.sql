-- Keywords of an ISO week's papers. Grain: one row per week_date and keyword.
-- Four weeks before a week are compared with it, so a change reaches four weeks on.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_stale_dates('week_date', before=6, after=28) }}",
    )
}}

with

papers_listed as (
    select
        paper_id,
        list_date,
        upvotes_count,
        ai_keywords,
        date_trunc('week', list_date)::date as week_date
    from {{ ref('int_papers_listed') }}
    where not is_removed and {{ is_stale('list_date', before=34, after=34) }}
),

-- A paper counts once a week, as its newest list of the week shows it.
weekly_papers as (
    select
        week_date,
        upvotes_count,
        list_distinct([
            {{ normal_keyword('word') }}
            for word in ai_keywords
            if {{ normal_keyword('word') }} is not null
        ]) as keywords
    from papers_listed
    qualify row_number() over (partition by week_date, paper_id order by list_date desc) = 1
),

counts as (
    select
        week_date,
        keyword,
        count(*) as paper_count,
        sum(upvotes_count)::bigint as upvotes_total
    from (
        select
            week_date,
            upvotes_count,
            unnest(keywords) as keyword
        from weekly_papers
    ) as words
    group by week_date, keyword
),

weeks as (
    select
        week_date,
        count(*) as week_paper_count,
        sum(count(*)) over (
            order by week_date
            range between interval 28 days preceding and interval 7 days preceding
        )::bigint as earlier_week_paper_count
    from weekly_papers
    where len(keywords) > 0
    group by week_date
),

compared as (
    select
        *,
        coalesce(
            sum(paper_count) over (
                partition by keyword
                order by week_date
                range between interval 28 days preceding and interval 7 days preceding
            ), 0
        )::bigint as earlier_paper_count
    from counts
),

final as (
    select
        -- ids
        compared.week_date,
        compared.keyword,

        -- strings
        strftime(compared.week_date, '%G-W%V') as iso_week,
        case
            when weeks.earlier_week_paper_count is null then null
            when
                compared.earlier_paper_count = 0
                and compared.paper_count >= {{ var('keyword_trend_papers') }}
                then 'new'
            when
                compared.earlier_paper_count > 0
                and compared.paper_count >= {{ var('keyword_trend_papers') }}
                and compared.paper_count * weeks.earlier_week_paper_count
                >= {{ var('keyword_trend_factor') }}
                * compared.earlier_paper_count * weeks.week_paper_count
                then 'rising'
            when
                compared.earlier_paper_count >= {{ var('keyword_trend_papers') }}
                and {{ var('keyword_trend_factor') }}
                * compared.paper_count * weeks.earlier_week_paper_count
                <= compared.earlier_paper_count * weeks.week_paper_count
                then 'falling'
            else 'steady'
        end as trend,

        -- numbers
        compared.paper_count,
        compared.upvotes_total,
        round(compared.paper_count / weeks.week_paper_count, 4) as paper_share,
        compared.earlier_paper_count,
        round(compared.earlier_paper_count / weeks.earlier_week_paper_count, 4)
            as earlier_paper_share
    from compared
    inner join weeks on compared.week_date = weeks.week_date
    where {{ is_stale('compared.week_date', before=6, after=28) }}
)

select * from final

-- What is trending, by our own rule. Grain: one row per as_of_date and trending_rank.
-- score = (points for votes, comments and stars gained in the recent days) x freshness; the points
-- are vars in dbt_project.yml.
{%- set window_days = var('trending_window_days') | int -%}
{%- set recent_days = var('trending_recent_days') -%}
{%- set reach = trending_reach() | int %}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_stale_dates('as_of_date', after=trending_reach()) }}",
    )
}}

with

-- A list takes part in the window_days as-of dates from its own on, and so does a change of it.
readings as (
    select
        reading_id,
        list_date,
        read_at,
        (read_at at time zone 'UTC')::date as read_on
    from {{ ref('stg_hub__readings') }}
    where is_admitted and {{ is_stale('list_date', reach, reach) }}
),

as_of_dates as (
    select distinct read_on as as_of_date
    from readings
    where
        list_date between read_on - {{ reach }} and read_on
        and {{ is_stale('read_on', after=reach) }}
),

-- Each as-of date with its lists, so that readings are joined by their list date.
windows as (
    select
        as_of_dates.as_of_date,
        as_of_dates.as_of_date - ages.days_count::integer as list_date
    from as_of_dates
    cross join range({{ window_days }}) as ages (days_count)
),

paper_readings as (
    select
        *,
        (read_at at time zone 'UTC')::date as read_on
    from {{ ref('paper_readings') }}
    where {{ is_stale('list_date', reach, reach) }}
),

-- What was on a list by the end of the day; a paper that was removed from all of its lists is not.
newest_readings as (
    select
        windows.as_of_date,
        windows.list_date,
        arg_max(readings.reading_id, (readings.read_at, readings.reading_id)) as reading_id
    from windows
    inner join readings
        on windows.list_date = readings.list_date and windows.as_of_date >= readings.read_on
    group by windows.as_of_date, windows.list_date
),

papers_on_lists as (
    select distinct
        newest_readings.as_of_date,
        paper_readings.paper_id
    from newest_readings
    inner join paper_readings
        on
            newest_readings.list_date = paper_readings.list_date
            and newest_readings.reading_id = paper_readings.reading_id
),

-- Two lists that were read at the same moment show the same paper twice: the newer list counts.
known as (
    select
        windows.as_of_date,
        paper_readings.paper_id,
        {% for number in ['upvotes', 'comments', 'github_stars'] %}
        arg_max(
            paper_readings.{{ number }}_count, (paper_readings.read_at, paper_readings.list_date)
        ) as {{ number }}_count,
        coalesce(
            arg_max(
                paper_readings.{{ number }}_count,
                (paper_readings.read_at, paper_readings.list_date)
            ) filter (
                where paper_readings.read_on <= windows.as_of_date - {{ recent_days }}
            ),
            arg_min(
                paper_readings.{{ number }}_count,
                (paper_readings.read_at, -epoch(paper_readings.list_date))
            )
        ) as earlier_{{ number }}_count,
        {% endfor %}
        min(paper_readings.list_date) as first_list_date,
        max(paper_readings.list_date) as list_date
    from windows
    inner join paper_readings
        on
            windows.list_date = paper_readings.list_date
            and windows.as_of_date >= paper_readings.read_on
    group by windows.as_of_date, paper_readings.paper_id
),

-- A paper that came to its first list in the recent days gained there all that it has; its
-- repository may be older.
gained as (
    select
        *,
        case
            when first_list_date > as_of_date - {{ recent_days }} then upvotes_count
            else greatest(upvotes_count - earlier_upvotes_count, 0)
        end as votes_gained_count,
        case
            when first_list_date > as_of_date - {{ recent_days }} then comments_count
            else greatest(comments_count - earlier_comments_count, 0)
        end as comments_gained_count,
        greatest(coalesce(github_stars_count - earlier_github_stars_count, 0), 0)
            as stars_gained_count
    from known
    where
        (as_of_date, paper_id) in (
            select
                papers_on_lists.as_of_date,
                papers_on_lists.paper_id
            from papers_on_lists
        )
),

weighed as (
    select
        *,
        ({{ var('trending_vote_points') }} * votes_gained_count)::double as votes_score,
        ({{ var('trending_comment_points') }} * comments_gained_count)::double as comments_score,
        least(
            {{ var('trending_star_points') }} * stars_gained_count,
            {{ var('trending_star_points_most') }}
        )::double as stars_score,
        ({{ window_days }} - (as_of_date - list_date)) / {{ window_days }} as freshness_share
    from gained
),

scored as (
    select
        *,
        round((votes_score + comments_score + stars_score) * freshness_share, 3) as score
    from weighed
),

ranked as (
    select
        *,
        row_number() over (
            partition by as_of_date
            order by score desc, upvotes_count desc, list_date desc, paper_id asc
        ) as trending_rank
    from scored
    where score > 0
    qualify trending_rank <= {{ var('trending_shown_papers') }}
),

final as (
    select
        -- ids
        as_of_date,
        trending_rank,
        paper_id,

        -- strings
        -- The largest part of the score, as a true phrase made of numbers.
        case
            when votes_score >= comments_score and votes_score >= stars_score
                then '+' || {{ counted('votes_gained_count', 'vote') }}
            when comments_score >= stars_score
                then '+' || {{ counted('comments_gained_count', 'comment') }}
            else '+' || {{ counted('stars_gained_count', 'star') }} || ' on its code'
        end
        || case
            when as_of_date - list_date >= {{ recent_days }} or first_list_date < list_date
                then ' in {{ recent_days }} days'
            when as_of_date = list_date then ' on its first day'
            else ' since it was listed'
        end as why_here,

        -- numbers
        score,
        votes_score,
        comments_score,
        stars_score,
        freshness_share,
        votes_gained_count,
        comments_gained_count,
        stars_gained_count,
        upvotes_count,

        -- dates
        list_date
    from ranked
)

select * from final

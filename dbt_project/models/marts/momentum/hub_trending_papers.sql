-- The Hub's own trending order beside ours. Grain: one row per read_at and hub_rank.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_stale_dates('as_of_date', after=trending_reach()) }}",
    )
}}

{%- set reach = trending_reach() | int %}

with

-- Readings that make trending_papers of a date anew, make the comparison with it anew too.
trending_items as (
    select * from {{ ref('stg_hub__trending_items') }}
    where {{ is_stale('list_date', after=reach) }}
),

trending_papers as (
    select * from {{ ref('trending_papers') }} where {{ is_stale('as_of_date', after=reach) }}
),

final as (
    select
        -- ids
        trending_items.read_at,
        trending_items.hub_rank,
        trending_items.paper_id,
        trending_items.reading_id,

        -- numbers
        trending_papers.trending_rank,
        trending_items.upvotes_count,

        -- strings
        trending_items.unlisted_json,

        -- dates
        trending_items.list_date as as_of_date
    from trending_items
    left join trending_papers
        on
            trending_items.list_date = trending_papers.as_of_date
            and trending_items.paper_id = trending_papers.paper_id
)

select * from final

-- A paper's numbers over time. Grain: one row per list_date, paper_id and read_at.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_stale_dates('list_date') }}",
    )
}}

with

items as (
    select * from {{ ref('stg_hub__items') }} where {{ is_stale('list_date') }}
),

final as (
    select
        -- ids
        list_date,
        paper_id,
        read_at,
        reading_id,
        md5(document_json) as document_id,

        -- numbers
        list_rank,
        upvotes_count,
        comments_count,
        github_stars_count,
        submitter_followers_count,

        -- booleans
        is_author_participating
    from items
)

select * from final

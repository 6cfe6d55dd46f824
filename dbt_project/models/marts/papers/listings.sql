-- Papers on the Hub's daily lists. Grain: one row per list_date and paper_id.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_stale_dates('list_date') }}",
    )
}}

with

papers_listed as (
    select * from {{ ref('int_papers_listed') }} where {{ is_stale('list_date') }}
),

final as (
    select
        -- ids
        list_date,
        paper_id,

        -- strings
        submitted_by,

        -- numbers
        list_rank,
        upvotes_count,
        upvotes_gained_count,
        upvotes_24h_count,
        upvotes_72h_count,
        upvotes_7d_count,
        comments_count,
        github_stars_count,
        submitter_followers_count,

        -- booleans
        is_removed,
        is_author_participating,
        github_url is not null as has_code,
        has_new_code,

        -- timestamps
        first_read_at,
        last_read_at
    from papers_listed
)

select * from final

-- Hub users who put papers on lists. Grain: one row per submitted_by.
-- A view over narrow columns: nothing to keep up to date, and counted when it is published.
{{ config(materialized='view') }}

with

listings as (
    select * from {{ ref('listings') }} where submitted_by is not null
),

final as (
    select
        -- ids
        submitted_by,

        -- numbers
        count(*) as submission_count,
        count(distinct list_date) as list_date_count,
        count(*) filter (where is_removed) as removed_count,
        sum(upvotes_count)::bigint as upvotes_total,
        round(avg(upvotes_count), 2) as upvotes_mean,
        max(upvotes_count) as most_upvotes_count,
        count(*) filter (where has_code) as with_code_count,
        round(count(*) filter (where has_code) / count(*), 4) as with_code_share,

        -- dates
        min(list_date) as first_list_date,
        max(list_date) as last_list_date
    from listings
    group by submitted_by
)

select * from final

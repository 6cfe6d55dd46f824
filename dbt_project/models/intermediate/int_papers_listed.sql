-- The last thing known of a listed paper. Grain: one row per list_date and paper_id.
-- Here an item's JSON is parsed once, and not by every mart.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_stale_dates('list_date') }}",
    )
}}

with

items as (
    select
        *,
        (epoch(read_at) - epoch({{ closes_at('list_date') }})) / 3600 as hours_closed
    from {{ ref('stg_hub__items') }}
    where {{ is_stale('list_date') }}
),

readings as (
    select * from {{ ref('stg_hub__readings') }}
    where is_admitted and {{ is_stale('list_date') }}
),

newest_readings as (
    select
        list_date,
        arg_max(reading_id, (read_at, reading_id)) as reading_id
    from readings
    group by list_date
),

last_items as (
    select
        *,
        bool_or(is_complete) over paper as was_complete,
        first_value(upvotes_count) over (paper order by read_at, reading_id) as first_upvotes_count,
        first_value(github_url is not null) over (paper order by read_at, reading_id) as had_code,
        {% for name, hours in [('24h', 24), ('72h', 72), ('7d', 168)] %}
        arg_min(upvotes_count, read_at)
        filter (where hours_closed between {{ hours }} and {{ 2 * hours }})
            over paper as upvotes_{{ name }}_count,
        {% endfor %}
        min(read_at) over paper as first_read_at
    from items
    window paper as (partition by list_date, paper_id)
    qualify
        row_number() over (
            partition by list_date, paper_id
            order by read_at desc, reading_id desc
        ) = 1
),

final as (
    select
        -- ids
        last_items.paper_id,
        last_items.reading_id,
        last_items.discussion_id,
        last_items.organization_id,

        -- strings
        last_items.title,
        last_items.abstract,
        last_items.ai_summary,
        last_items.organization_name,
        last_items.organization_handle,
        last_items.submitted_by,
        last_items.github_url,
        last_items.github_added_by,
        last_items.project_url,
        last_items.thumbnail_url,

        -- lists
        last_items.ai_keywords,
        last_items.media_urls,
        last_items.authors,

        -- numbers
        case
            when last_items.reading_id = newest_readings.reading_id then last_items.list_rank
        end as list_rank,
        last_items.upvotes_count,
        last_items.upvotes_count - last_items.first_upvotes_count as upvotes_gained_count,
        last_items.upvotes_24h_count,
        last_items.upvotes_72h_count,
        last_items.upvotes_7d_count,
        last_items.comments_count,
        last_items.github_stars_count,
        last_items.submitter_followers_count,

        -- booleans
        last_items.reading_id != newest_readings.reading_id as is_removed,
        last_items.was_complete,
        last_items.is_author_participating,
        last_items.github_url is not null and not last_items.had_code as has_new_code,

        -- dates
        last_items.list_date,
        last_items.published_on,

        -- timestamps
        last_items.withdrawn_at,
        last_items.first_read_at,
        last_items.read_at as last_read_at
    from last_items
    inner join newest_readings on last_items.list_date = newest_readings.list_date
)

select * from final

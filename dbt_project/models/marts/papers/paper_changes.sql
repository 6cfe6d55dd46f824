-- What changed between readings. Grain: one row per paper_id, field and reading_id.
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='paper_id',
        post_hook="{{ forget_unchanged_papers() }}",
    )
}}

with

-- not materialized: a CTE that is read twice is copied whole otherwise, with all of history.
papers_versioned as not materialized (
    select * from {{ ref('int_papers_versioned') }}
),

{% if is_incremental() %}
touched_papers as (
    select paper_id from papers_versioned where {{ is_stale('list_date') }}
    union
    select paper_id from {{ this }}
    where {{ is_stale('list_date') }} or {{ is_stale('previous_list_date') }}
),
{% else %}
touched_papers as (
    select distinct paper_id from papers_versioned
),
{% endif %}

versions as (
    select * from papers_versioned
    where paper_id in (select touched_papers.paper_id from touched_papers)
),

-- Both ends of each version: a paper may be on two lists, read in turns.
sightings as (
    select
        paper_id,
        list_date,
        first_reading_id as reading_id,
        first_read_at as read_at,
        field_values
    from versions
    union
    select
        paper_id,
        list_date,
        last_reading_id as reading_id,
        last_read_at as read_at,
        field_values
    from versions
),

unfolded as (
    select
        paper_id,
        list_date,
        reading_id,
        read_at,
        unnest(field_values) as told
    from sightings
),

values_seen as (
    select
        paper_id,
        list_date,
        reading_id,
        read_at,
        told.field,
        told.value
    from unfolded
),

compared as (
    select
        *,
        lag(value) over earlier as old_value,
        lag(list_date) over earlier as previous_list_date,
        lag(read_at) over earlier as previous_read_at
    from values_seen
    window earlier as (partition by paper_id, field order by read_at, list_date)
),

final as (
    select
        -- ids
        paper_id,
        field,
        reading_id,

        -- strings
        old_value,
        value as new_value,

        -- dates
        list_date,
        previous_list_date,

        -- timestamps
        read_at,
        previous_read_at
    from compared
    where previous_read_at is not null and value is distinct from old_value
)

select * from final

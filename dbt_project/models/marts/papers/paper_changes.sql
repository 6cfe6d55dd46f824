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

papers_on_several_lists as (
    select paper_id from versions
    group by paper_id
    having min(list_date) < max(list_date)
),

-- Both ends of each version. Lists are read in turns, so that of a paper on several of them every
-- reading counts: between the ends of what one list says, another may say something else.
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
    union
    select
        versions.paper_id,
        versions.list_date,
        paper_readings.reading_id,
        paper_readings.read_at,
        versions.field_values
    from versions
    inner join {{ ref('paper_readings') }} as paper_readings
        on
            versions.list_date = paper_readings.list_date
            and versions.paper_id = paper_readings.paper_id
            and paper_readings.read_at between versions.first_read_at and versions.last_read_at
    where versions.paper_id in (select papers.paper_id from papers_on_several_lists as papers)
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

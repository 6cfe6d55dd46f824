-- What a list said of a paper. Grain: one row per list_date, paper_id and first_read_at.
-- A row each time it said something else, kept beside the marts so that a change can be found
-- without parsing the JSON of old readings.
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

-- The fields whose changes are news, once and for all.
told as (
    select
        list_date,
        paper_id,
        reading_id,
        read_at,
        [
            { 'field': 'title', 'value': title },
            { 'field': 'abstract', 'value': abstract },
            { 'field': 'organization_name', 'value': organization_name },
            { 'field': 'github_url', 'value': github_url },
            { 'field': 'project_url', 'value': project_url },
            {
                'field': 'withdrawn_at',
                'value': strftime(withdrawn_at at time zone 'UTC', '%Y-%m-%dT%H:%M:%SZ')
            }
        ] as field_values
    from items
),

compared as (
    select
        *,
        lag(field_values) over (
            partition by list_date, paper_id order by read_at, reading_id
        ) as previous_values
    from told
),

numbered as (
    select
        *,
        count(*) filter (where field_values is distinct from previous_values) over (
            partition by list_date, paper_id order by read_at, reading_id
        ) as version_number
    from compared
),

final as (
    select
        -- ids
        list_date,
        paper_id,
        min(read_at) as first_read_at,
        max(read_at) as last_read_at,
        arg_min(reading_id, (read_at, reading_id)) as first_reading_id,
        arg_max(reading_id, (read_at, reading_id)) as last_reading_id,

        -- lists
        any_value(field_values) as field_values
    from numbered
    group by list_date, paper_id, version_number
)

select * from final

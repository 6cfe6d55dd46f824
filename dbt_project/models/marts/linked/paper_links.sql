-- How much is linked with a paper, reading by reading. Grain: one row per paper_id and read_at.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_stale_dates('read_on') }}",
    )
}}

with

linked_papers as (
    select * from {{ ref('stg_hub__linked_papers') }} where {{ is_stale('list_date') }}
),

final as (
    select
        -- ids
        paper_id,
        reading_id,

        -- strings
        venue,

        -- numbers
        models_count,
        datasets_count,
        spaces_count,

        -- dates
        list_date as read_on,

        -- timestamps
        read_at
    from linked_papers
)

select * from final

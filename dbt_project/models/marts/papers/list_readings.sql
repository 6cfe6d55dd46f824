-- Readings of the daily lists, good or bad. Grain: one row per list_date and read_at.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_stale_dates('list_date') }}",
    )
}}

with

readings as (
    select * from {{ ref('stg_hub__readings') }} where {{ is_stale('list_date') }}
),

final as (
    select
        -- ids
        list_date,
        read_at,
        reading_id,

        -- strings
        verdict,
        reason,
        kind,
        origin,
        payload_sha256,

        -- numbers
        http_status,
        page_count,
        item_count,

        -- booleans
        is_whole,
        is_admitted
    from readings
)

select * from final

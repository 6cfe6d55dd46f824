-- Readings of the daily lists, good or bad. Grain: one row per list_date and read_at.
-- Built last: a reading that stands here has reached every other mart, and one that does not, or
-- stands here with another verdict, makes its date stale again.
-- depends_on: {{ ref('paper_readings') }}
-- depends_on: {{ ref('paper_documents') }}
-- depends_on: {{ ref('paper_authors') }}
-- depends_on: {{ ref('daily_digests') }}
-- depends_on: {{ ref('daily_digest_papers') }}
-- depends_on: {{ ref('digest_deliveries') }}
-- depends_on: {{ ref('paper_momentum') }}
-- depends_on: {{ ref('hub_trending_papers') }}
-- depends_on: {{ ref('keyword_weeks') }}
-- depends_on: {{ ref('curation_days') }}
-- depends_on: {{ ref('organizations') }}
-- depends_on: {{ ref('submitters') }}
-- depends_on: {{ ref('authors') }}
-- depends_on: {{ ref('daily_digest_updates') }}
-- depends_on: {{ ref('issue_as_known_now') }}
-- depends_on: {{ ref('weekly_digests') }}
-- depends_on: {{ ref('monthly_digests') }}
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

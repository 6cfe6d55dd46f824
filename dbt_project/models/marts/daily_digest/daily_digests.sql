-- Days of papers, as far as they are known. Grain: one row per digest_date.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_stale_dates('digest_date') }}",
    )
}}

with

readings as (
    select * from {{ ref('stg_hub__readings') }} where {{ is_stale('list_date') }}
),

listings as (
    select * from {{ ref('listings') }} where {{ is_stale('list_date') }}
),

-- A day that was once read to its end stays so, whatever a later attempt met; any other is as its
-- last judged reading says, since one that brought no list changes nothing that was known.
deciding_readings as (
    select * from readings
    qualify
        row_number() over (
            partition by list_date
            order by
                is_admitted and {{ is_final('verdict') }} desc,
                is_judged desc,
                read_at desc,
                reading_id desc
        ) = 1
),

last_reads as (
    select
        list_date,
        max(read_at) as last_read_at
    from readings
    where is_admitted
    group by list_date
),

counts as (
    select
        list_date,
        count(*) filter (where not is_removed) as paper_count,
        count(*) as listed_count,
        sum(upvotes_count) filter (where not is_removed) as upvotes_total,
        count(*) filter (where not is_removed and has_code) as with_code_count
    from listings
    group by list_date
),

final as (
    select
        -- ids
        deciding_readings.list_date as digest_date,

        -- strings
        deciding_readings.verdict,
        deciding_readings.reason,

        -- numbers
        coalesce(counts.paper_count, 0) as paper_count,
        coalesce(counts.listed_count, 0) as listed_count,
        coalesce(counts.upvotes_total, 0)::bigint as upvotes_total,
        coalesce(counts.with_code_count, 0) as with_code_count,

        -- timestamps
        last_reads.last_read_at
    from deciding_readings
    left join last_reads on deciding_readings.list_date = last_reads.list_date
    left join counts on deciding_readings.list_date = counts.list_date
)

select * from final

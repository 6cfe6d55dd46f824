-- Readings of lists with the verdict their gates left them. Grain: one row per reading_id.

with

readings as (
    select * from {{ source('audit', 'judged_readings') }}
    where kind = 'daily'
),

final as (
    select
        -- ids
        reading_id,
        load_id,

        -- strings
        kind,
        origin,
        -- A final verdict needs a passed gate: without one nobody may take the day as done.
        case
            when is_refused then 'failed'
            when {{ is_final('verdict') }} and not is_admitted then 'partial'
            else verdict
        end as verdict,
        case
            when is_refused then refused_reason
            when {{ is_final('verdict') }} and not is_admitted
                then 'Read, but not checked yet.'
            else reason
        end as reason,
        payload_sha256,

        -- numbers
        http_status,
        page_count,
        item_count,

        -- booleans
        is_whole,
        is_judged,
        is_admitted,

        -- dates
        list_date,

        -- timestamps
        read_at
    from readings
)

-- left out: first_page_agrees, first_bytes, new_fields (evidence for `papers status`), _dlt_*
select * from final

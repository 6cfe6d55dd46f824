-- Readings of lists with the verdict their gates left them. Grain: one row per reading_id.

with

readings as (
    select * from {{ source('hub', 'readings') }}
    where kind = 'daily'
),

gates as (
    select * from {{ source('audit', 'gates') }}
),

-- Joined first and grouped then: a filter on list_date reaches the readings below, and the gates
-- of other dates are not grouped.
judged as (
    select
        readings.reading_id,
        readings.load_id,
        readings.kind,
        readings.origin,
        readings.verdict,
        readings.reason,
        readings.payload_sha256,
        readings.http_status,
        readings.page_count,
        readings.item_count,
        readings.is_whole,
        readings.list_date,
        readings.read_at,
        coalesce(bool_or(gates.is_passed) filter (where gates.gate = 'raw'), false) as is_checked,
        coalesce(bool_or(not gates.is_passed), false) as is_refused,
        string_agg(gates.reason, ' ' order by gates.gate desc) filter (where not gates.is_passed)
            as refused_reason
    from readings
    left join gates
        on readings.reading_id = gates.run_id and readings.list_date = gates.list_date
    group by all
),

admitted as (
    select
        *,
        is_whole and is_checked and not is_refused as is_admitted
    from judged
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
            when verdict in ('complete', 'empty') and not is_admitted then 'partial'
            else verdict
        end as verdict,
        case
            when is_refused then refused_reason
            when verdict in ('complete', 'empty') and not is_admitted
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
        is_admitted,

        -- dates
        list_date,

        -- timestamps
        read_at
    from admitted
)

-- left out: first_page_agrees, first_bytes, new_fields (evidence for `papers status`), _dlt_*
select * from final

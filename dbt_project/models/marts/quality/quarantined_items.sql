-- Items that a gate quarantined. Grain: one row per reading_id and position.

with

quarantined_items as (
    select * from {{ source('audit', 'quarantined_items') }}
),

final as (
    select
        -- ids
        reading_id,
        position,
        paper_id,

        -- strings
        reason,
        expectation,
        item,

        -- dates
        list_date,

        -- timestamps
        read_at,
        quarantined_at
    from quarantined_items
)

select * from final

-- What the Hub said of single papers. Grain: one row per reading_id and paper_id.
-- Only readings that gate linked let through, without their quarantined answers.

with

readings as (
    select * from {{ source('audit', 'judged_readings') }}
    where kind = 'linked' and is_admitted
),

quarantined_items as (
    select * from {{ source('audit', 'quarantined_items') }}
),

items as (
    select items.*
    from {{ source('hub', 'items') }} as items
    inner join readings
        on
            items.reading_id = readings.reading_id
            and items.list_date = readings.list_date
    anti join quarantined_items
        on
            items.reading_id = quarantined_items.reading_id
            and items.position = quarantined_items.position
),

parsed as (
    select
        *,
        from_json(item, '{{ linked_structure() }}').answer as doc
    from items
),

final as (
    select
        -- ids
        reading_id,
        paper_id,

        -- strings
        {{ one_line('doc.venue') }} as venue,

        -- lists
        doc.linkedmodels as models,
        doc.linkeddatasets as datasets,
        doc.linkedspaces as spaces,

        -- numbers
        coalesce(doc.numtotalmodels, len(doc.linkedmodels)) as models_count,
        coalesce(doc.numtotaldatasets, len(doc.linkeddatasets)) as datasets_count,
        coalesce(doc.numtotalspaces, len(doc.linkedspaces)) as spaces_count,

        -- dates
        list_date,

        -- timestamps
        read_at
    from parsed
)

-- left out: the paper itself, which the lists say
select * from final

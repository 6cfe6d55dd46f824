-- What the Hub said of single papers. Grain: one row per reading_id and paper_id.
-- Only readings that gate linked let through, without their quarantined answers.

with

{{ items_apart('linked') }},

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

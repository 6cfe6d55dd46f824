-- Papers that the Hub calls trending. Grain: one row per reading_id and paper_id.
-- Its own order, of the UTC date of its reading, and never a list. Only readings that gate raw let
-- through, without their quarantined items.

with

{{ items_apart('trending') }},

distinct_items as (
    select * from items
    qualify
        row_number() over (partition by list_date, reading_id, paper_id order by position) = 1
),

final as (
    select
        -- ids
        reading_id,
        paper_id,

        -- numbers
        row_number() over (partition by list_date, reading_id order by position) as hub_rank,
        upvotes_count,

        -- strings
        case when json_extract_string(item, '$.paper.submittedOnDailyAt') is null then item end
            as unlisted_json,

        -- dates
        list_date,

        -- timestamps
        read_at
    from distinct_items
)

-- left out: the JSON of papers that were on a list, which int_papers_listed has
select * from final

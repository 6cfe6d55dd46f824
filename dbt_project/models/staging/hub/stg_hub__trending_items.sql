-- Papers that the Hub calls trending. Grain: one row per reading_id and paper_id.
-- Its own order, of the UTC date of its reading. Never a list: no gate looks at it, so that only
-- items that keep the extract's contract, of readings that came whole, are here.

with

readings as (
    select * from {{ source('hub', 'readings') }}
    where kind = 'trending' and verdict = 'complete'
),

items as (
    select items.*
    from {{ source('hub', 'items') }} as items
    inner join readings
        on
            items.reading_id = readings.reading_id
            and items.list_date = readings.list_date
    where items.contract_error is null
),

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

        -- dates
        list_date,

        -- timestamps
        read_at
    from distinct_items
)

-- left out: the JSON, which int_papers_listed has of every paper that was on a list
select * from final

-- A listing and the reading that saw it last are built apart; were they to differ, a mail would not
-- show the numbers that momentum is computed from.

select
    listings.list_date,
    listings.paper_id
from {{ ref('listings') }} as listings
left join {{ ref('paper_readings') }} as paper_readings
    on
        listings.list_date = paper_readings.list_date
        and listings.paper_id = paper_readings.paper_id
        and listings.last_read_at = paper_readings.read_at
where
    listings.list_date in {{ stale_list_dates() }}
    and (
        listings.upvotes_count is distinct from paper_readings.upvotes_count
        or listings.comments_count is distinct from paper_readings.comments_count
        or coalesce(listings.list_rank, paper_readings.list_rank)
        is distinct from paper_readings.list_rank
    )

-- When was the newest list read, and what did each reading come to?
select
    read_at,
    verdict,
    item_count,
    is_admitted,
    reason
from marts.list_readings
where
    kind = 'daily'
    and list_date = (select max(listings.list_date) from marts.listings)
order by read_at

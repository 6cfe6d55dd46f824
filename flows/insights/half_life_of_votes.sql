-- How soon does a paper have its votes? Of those it has seven days after its list, the median share.
with

ages as (
    select
        readings.list_date,
        readings.paper_id,
        12 * (date_diff('hour', readings.list_date::timestamp, readings.read_at at time zone 'UTC')
            // 12 + 1) as until_hour,
        max(readings.upvotes_count) / any_value(listings.upvotes_7d_count) as share
    from marts.paper_readings as readings
    inner join marts.listings as listings using (list_date, paper_id)
    where
        listings.upvotes_7d_count >= 5
        and readings.read_at >= readings.list_date::timestamptz
        and readings.read_at < readings.list_date::timestamptz + interval 7 days
    group by readings.list_date, readings.paper_id, until_hour
)

select
    until_hour,
    count(*) as paper_count,
    round(100 * median(least(share, 1)), 1) as votes_pct
from ages
group by until_hour
order by until_hour

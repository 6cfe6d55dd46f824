-- How much of a list is there, hour by hour? Hours count from midnight UTC of its date.
with

readings as (
    select
        list_date,
        read_at,
        date_diff('hour', list_date::timestamp, read_at at time zone 'UTC') as hour,
        count(*) as paper_count,
        sum(upvotes_count) as upvotes_total
    from marts.paper_readings
    group by list_date, read_at
),

shares as (
    select
        list_date,
        hour,
        upvotes_total,
        paper_count / arg_max(paper_count, read_at) over (partition by list_date) as paper_share,
        max(hour) over (partition by list_date) as last_hour
    from readings
)

select
    hour,
    count(distinct list_date) as list_count,
    round(median(upvotes_total))::bigint as votes,
    round(100 * median(least(paper_share, 1)), 1) as papers_pct
from shares
where hour between 0 and 26 and last_hour >= 26
group by hour
order by hour

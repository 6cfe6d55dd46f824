-- Which papers won votes after their list day, by the readings that came later?
with

counted as (
    select
        list_date,
        paper_id,
        max(upvotes_count) as last_count,
        max(upvotes_count) filter (where read_at < list_date + interval 2 day) as list_day_count
    from marts.paper_readings
    group by list_date, paper_id
)

select
    counted.list_date,
    papers.title,
    counted.list_day_count,
    counted.last_count,
    counted.last_count - counted.list_day_count as gained_count
from counted
inner join marts.papers as papers on counted.paper_id = papers.paper_id
where counted.last_count > counted.list_day_count
order by gained_count desc, papers.paper_id
limit 20

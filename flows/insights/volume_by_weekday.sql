-- How many papers does a list bring on each day of the week?
select
    strftime(digest_date, '%A') as weekday,
    count(*) as list_count,
    max(listed_count) as papers_most,
    round(avg(listed_count), 1) as papers_mean
from marts.daily_digests
where verdict = 'complete'
group by weekday, isodow(digest_date)
order by isodow(digest_date)

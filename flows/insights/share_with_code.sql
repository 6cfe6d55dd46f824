-- What share of the listed papers names a repository, month by month?
select
    strftime(list_date, '%Y-%m') as month,
    count(*) as listing_count,
    count(*) filter (has_code) as with_code_count,
    round(100 * avg(has_code::int), 1) as code_pct
from marts.listings
where not is_removed
group by month
order by month

-- What share of the listed papers comes with a code repository, month by month?
select
    date_trunc('month', list_date)::date as month_start_on,
    count(*) as paper_count,
    round(100.0 * count(*) filter (where has_code) / count(*), 1) as with_code_pct
from marts.listings
where not is_removed
group by month_start_on
order by month_start_on

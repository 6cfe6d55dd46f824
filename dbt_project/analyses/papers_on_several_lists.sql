-- Which papers were on more than one list, and how far apart?
select
    paper_id,
    title,
    len(list_dates) as list_count,
    first_listed_on,
    last_listed_on - first_listed_on as days_apart
from marts.papers
where len(list_dates) > 1
order by days_apart desc, paper_id

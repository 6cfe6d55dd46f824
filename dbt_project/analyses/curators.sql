-- Who puts papers on the list, and how are their choices received?
select
    submitted_by,
    count(*) as paper_count,
    median(upvotes_count) as upvotes_median,
    max(upvotes_count) as upvotes_most
from marts.listings
where submitted_by is not null and not is_removed
group by submitted_by
order by paper_count desc, submitted_by
limit 20

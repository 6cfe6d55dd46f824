-- Who puts papers on the lists, and how are their choices received?
select
    submitted_by,
    submission_count,
    list_date_count,
    upvotes_mean,
    most_upvotes_count
from marts.submitters
order by submission_count desc, submitted_by
limit 20

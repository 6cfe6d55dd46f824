-- Which papers of past issues have gained most votes since they were sent?
select
    issue_date,
    title,
    sent_upvotes_count,
    upvotes_count,
    upvotes_gained_count,
    has_new_code
from marts.issue_as_known_now
where edition = 'daily' and section = 'papers'
order by upvotes_gained_count desc, paper_id
limit 20

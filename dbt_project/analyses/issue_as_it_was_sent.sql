-- What stood in the newest issue, with the votes of then?
select
    issue_rank,
    section,
    title,
    upvotes_count,
    why_here
from marts.issue_as_sent
where
    edition = 'daily'
    and issue_date = (select max(issue_as_sent.issue_date) from marts.issue_as_sent)
order by section desc, issue_rank

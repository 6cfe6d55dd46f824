-- What became of the mail of each issue, in counts?
select
    issue_date,
    edition,
    state,
    delivery_count
from marts.digest_deliveries
order by issue_date desc, edition, state

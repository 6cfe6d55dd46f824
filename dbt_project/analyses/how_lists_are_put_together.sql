-- How was each of the newest lists put together: by how many people, how late, with how much code?
select
    list_date,
    paper_count,
    submitter_count,
    round(100 * top_submitter_share, 1) as top_submitter_pct,
    submission_lag_days_median,
    round(100 * with_code_share, 1) as with_code_pct
from marts.curation_days
order by list_date desc
limit 20

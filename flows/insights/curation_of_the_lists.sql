-- Who puts the lists together, and how soon after arXiv? The median list of each month.
select
    strftime(list_date, '%Y-%m') as month,
    count(*) as list_count,
    round(median(submitter_count), 1) as submitters,
    round(100 * median(top_submitter_share), 1) as busiest_pct,
    round(100 * median(self_submission_share), 1) as by_authors_pct,
    round(median(submission_lag_days_median), 1) as days_after_arxiv
from marts.curation_days
group by month
order by month

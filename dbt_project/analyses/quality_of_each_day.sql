-- How good was the data of each day: its checks, and what its papers lack?
select
    list_date,
    verdict,
    paper_count,
    passed_count,
    warning_count,
    quarantined_count,
    ai_summary_null_pct,
    github_url_null_pct
from quality.day_reports
order by list_date desc
limit 60

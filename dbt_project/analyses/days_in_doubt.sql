-- Which list dates did not end complete or empty, and what is the reason?
select
    digest_date,
    verdict,
    paper_count,
    reason
from marts.daily_digests
where verdict not in ('complete', 'empty')
order by digest_date desc

-- Which paper led each month, and how many papers had it?
select
    months.period,
    months.verdict,
    months.paper_count,
    papers.title,
    best.upvotes_count
from marts.monthly_digests as months
inner join marts.monthly_digest_papers as best
    on months.digest_date = best.digest_date and best.digest_rank = 1
inner join marts.papers as papers on best.paper_id = papers.paper_id
order by months.digest_date desc

-- Which papers lead the newest week, and how far is that week known?
select
    weeks.period,
    weeks.verdict,
    best.digest_rank,
    papers.title,
    best.upvotes_count,
    best.list_dates
from marts.weekly_digest_papers as best
inner join marts.weekly_digests as weeks on best.digest_date = weeks.digest_date
inner join marts.papers as papers on best.paper_id = papers.paper_id
where weeks.digest_date = (select max(weekly_digests.digest_date) from marts.weekly_digests)
order by best.digest_rank
limit 20

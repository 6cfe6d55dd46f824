-- What is in the newest digest, and why does each paper stand where it stands?
select
    digest.digest_rank,
    papers.title,
    digest.upvotes_count,
    digest.why_here,
    papers.github_url
from marts.daily_digest_papers as digest
inner join marts.papers as papers on digest.paper_id = papers.paper_id
where digest.digest_date = (select max(digest_date) from marts.daily_digest_papers)
order by digest.digest_rank

-- How did the votes of the first paper of the newest digest grow, reading by reading?
select
    readings.read_at,
    readings.list_rank,
    readings.upvotes_count,
    readings.comments_count
from marts.paper_readings as readings
inner join marts.daily_digest_papers as digest
    on readings.list_date = digest.digest_date and readings.paper_id = digest.paper_id
where
    digest.digest_rank = 1
    and digest.digest_date = (
        select max(daily_digest_papers.digest_date) from marts.daily_digest_papers
    )
order by readings.read_at

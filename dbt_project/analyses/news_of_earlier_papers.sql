-- What is new about papers of earlier issues, as the newest digest with news has it?
select
    updates.section,
    updates.update_rank,
    papers.title,
    updates.why_here
from marts.daily_digest_updates as updates
inner join marts.papers as papers on updates.paper_id = papers.paper_id
where
    updates.digest_date = (
        select max(daily_digest_updates.digest_date) from marts.daily_digest_updates
    )
order by updates.section, updates.update_rank

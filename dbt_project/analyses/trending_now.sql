-- What trends now by our own rule, and from what do its points come?
select
    trending.trending_rank,
    papers.title,
    trending.score,
    trending.votes_score,
    trending.comments_score,
    trending.stars_score,
    trending.freshness_share
from marts.trending_papers as trending
inner join marts.papers as papers on trending.paper_id = papers.paper_id
where trending.as_of_date = (select max(trending_papers.as_of_date) from marts.trending_papers)
order by trending.trending_rank
limit 20

-- What did the Hub call trending when it was last asked, and where was that in our own order?
select
    hub.hub_rank,
    hub.trending_rank,
    papers.title,
    hub.upvotes_count
from marts.hub_trending_papers as hub
inner join marts.papers as papers on hub.paper_id = papers.paper_id
where hub.read_at = (select max(hub_trending_papers.read_at) from marts.hub_trending_papers)
order by hub.hub_rank

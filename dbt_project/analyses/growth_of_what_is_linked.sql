-- Which papers had most grow out of them since the Hub was first asked about them?
select
    papers.title,
    arg_min(links.models_count, links.read_at) as models_at_first,
    arg_max(links.models_count, links.read_at) as models_now,
    arg_max(links.datasets_count, links.read_at) as datasets_now,
    arg_max(links.spaces_count, links.read_at) as spaces_now
from marts.paper_links as links
inner join marts.papers as papers on links.paper_id = papers.paper_id
group by papers.paper_id, papers.title
order by models_now - models_at_first desc, models_now desc, papers.paper_id
limit 20

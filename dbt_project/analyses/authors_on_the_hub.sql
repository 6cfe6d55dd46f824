-- Which papers have the most authors whom the Hub knows?
select
    papers.paper_id,
    papers.title,
    count(authors.hub_user) as known_author_count,
    count(*) as author_count
from marts.paper_authors as authors
inner join marts.papers as papers on authors.paper_id = papers.paper_id
where not authors.is_hidden
group by papers.paper_id, papers.title
order by known_author_count desc, papers.paper_id
limit 20

-- Which models, datasets and Spaces of listed papers are liked most?
select
    repositories.repository_kind,
    repositories.repository_id,
    repositories.likes_count,
    papers.title
from marts.linked_repositories as repositories
inner join marts.papers as papers on repositories.paper_id = papers.paper_id
where not repositories.is_gone
order by repositories.likes_count desc nulls last, repositories.repository_id, papers.paper_id
limit 20

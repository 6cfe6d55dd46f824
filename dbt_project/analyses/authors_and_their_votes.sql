-- Which authors with a Hub account had several papers on the lists, and how were they received?
select
    author_name,
    author_id as hub_user,
    paper_count,
    first_author_count,
    upvotes_mean,
    top_paper_id
from marts.authors
where identified_by = 'hub_user' and paper_count > 1
order by upvotes_total desc, author_id
limit 20

-- Which papers about long context have code, the most relevant first?
select
    search_rank,
    title,
    snippet,
    upvotes_count,
    github_url
from search_papers('long context', has_code := true, most := 10)

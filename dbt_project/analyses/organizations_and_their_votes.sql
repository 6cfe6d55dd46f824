-- For which organizations are most papers submitted, and what do readers think of them?
select
    organization_name,
    count(*) as paper_count,
    sum(upvotes_count)::bigint as upvotes_total,
    round(100.0 * count(*) filter (where github_url is not null) / count(*), 1) as with_code_pct
from marts.papers
where organization_name is not null
group by organization_name
order by paper_count desc, upvotes_total desc, organization_name
limit 20

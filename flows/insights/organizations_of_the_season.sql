-- Which organizations had the most papers on the lists of the last ninety days?
select
    arg_max(organization_name, last_read_at) as organization,
    sum(upvotes_count)::bigint as votes,
    count(*) filter (github_url is not null) as with_code_count,
    count(*) as paper_count
from marts.papers
where
    organization_id is not null
    and last_listed_on > (select max(last_listed_on) from marts.papers) - 90
group by organization_id
order by paper_count desc, votes desc, organization_id
limit 12

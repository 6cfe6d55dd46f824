-- For which organizations are most papers submitted, and what do readers think of them?
select
    organization_name,
    organization_handle,
    paper_count,
    upvotes_total,
    upvotes_mean,
    round(100 * with_code_share, 1) as with_code_pct
from marts.organizations
order by paper_count desc, upvotes_total desc, organization_id
limit 20

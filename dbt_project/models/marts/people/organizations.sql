-- Organizations that papers were submitted for. Grain: one row per organization_id.
-- A view over narrow columns: nothing to keep up to date, and counted when it is published.
{{ config(materialized='view') }}

with

papers as (
    select * from {{ ref('papers') }} where organization_id is not null
),

final as (
    select
        -- ids
        organization_id,
        arg_max(organization_handle, (last_read_at, paper_id)) as organization_handle,
        arg_min(paper_id, (-upvotes_count, paper_id)) as top_paper_id,

        -- strings
        arg_max(organization_name, (last_read_at, paper_id)) as organization_name,

        -- lists
        list(distinct organization_name order by organization_name) as organization_names,

        -- numbers
        count(*) as paper_count,
        sum(upvotes_count)::bigint as upvotes_total,
        round(avg(upvotes_count), 2) as upvotes_mean,
        max(upvotes_count) as most_upvotes_count,
        sum(comments_count)::bigint as comments_total,
        count(github_url) as with_code_count,
        round(count(github_url) / count(*), 4) as with_code_share,
        count(distinct submitted_by) as submitter_count,

        -- dates
        min(first_listed_on) as first_listed_on,
        max(last_listed_on) as last_listed_on
    from papers
    group by organization_id
)

select * from final

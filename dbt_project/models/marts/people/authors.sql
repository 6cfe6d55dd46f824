-- People who wrote papers. Grain: one row per identified_by and author_id.
-- A view over narrow columns: nothing to keep up to date, and counted when it is published.
{{ config(materialized='view') }}

with

paper_authors as (
    select
        paper_id,
        author_name,
        author_position,
        coalesce(hub_user, author_name) as author_id,
        case when hub_user is not null then 'hub_user' else 'name' end as identified_by
    from {{ ref('paper_authors') }}
    where not is_hidden and coalesce(hub_user, author_name) is not null
),

-- Some papers name a person twice.
bylines as (
    select
        identified_by,
        author_id,
        paper_id,
        min(author_position) as author_position,
        arg_min(author_name, author_position) as author_name
    from paper_authors
    group by identified_by, author_id, paper_id
),

final as (
    select
        -- ids
        bylines.identified_by,
        bylines.author_id,
        arg_min(bylines.paper_id, (-papers.upvotes_count, bylines.paper_id)) as top_paper_id,

        -- strings
        arg_max(bylines.author_name, (papers.last_listed_on, bylines.paper_id)) as author_name,

        -- numbers
        count(*) as paper_count,
        count(*) filter (where bylines.author_position = 1) as first_author_count,
        sum(papers.upvotes_count)::bigint as upvotes_total,
        round(avg(papers.upvotes_count), 2) as upvotes_mean,
        max(papers.upvotes_count) as most_upvotes_count,

        -- dates
        min(papers.first_listed_on) as first_listed_on,
        max(papers.last_listed_on) as last_listed_on
    from bylines
    inner join {{ ref('papers') }} as papers on bylines.paper_id = papers.paper_id
    group by bylines.identified_by, bylines.author_id
)

select * from final

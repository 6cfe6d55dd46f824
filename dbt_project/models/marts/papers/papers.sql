-- Papers as their newest reading shows them. Grain: one row per paper_id.
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='paper_id',
        post_hook="{{ forget_unlisted_papers() }}",
    )
}}

with

-- not materialized: a CTE that is read twice is copied whole otherwise, with all of history.
papers_listed as not materialized (
    select * from {{ ref('int_papers_listed') }}
),

{% if is_incremental() %}
touched_papers as (
    select paper_id from papers_listed where {{ is_stale('list_date') }}
    union
    select paper_id from {{ this }} where {{ was_on_stale_date() }}
),
{% else %}
touched_papers as (
    select distinct paper_id from papers_listed
),
{% endif %}

-- Every date of the papers at hand, but only the narrow columns: a paper may be on several lists.
spans as (
    select
        paper_id,
        arg_max(list_date, (last_read_at, list_date)) as newest_list_date,
        list(list_date order by list_date) as list_dates,
        min(list_date) filter (where was_complete) as first_digest_date,
        min(first_read_at) as first_read_at,
        max(last_read_at) as last_read_at
    from papers_listed
    where paper_id in (select touched_papers.paper_id from touched_papers)
    group by paper_id
),

final as (
    select
        -- ids
        papers_listed.paper_id,
        papers_listed.discussion_id,
        papers_listed.organization_id,
        papers_listed.reading_id,

        -- strings
        papers_listed.title,
        papers_listed.abstract,
        papers_listed.ai_summary,
        papers_listed.organization_name,
        papers_listed.organization_handle,
        papers_listed.submitted_by,
        papers_listed.github_url,
        papers_listed.github_added_by,
        papers_listed.project_url,
        papers_listed.thumbnail_url,

        -- lists
        papers_listed.ai_keywords,
        coalesce(
            [author.author_name for author in papers_listed.authors if not author.is_hidden],
            []
        ) as author_names,
        papers_listed.media_urls,
        spans.list_dates,

        -- numbers
        coalesce(len(papers_listed.authors), 0) as author_count,
        papers_listed.upvotes_count,
        papers_listed.comments_count,
        papers_listed.github_stars_count,

        -- booleans
        papers_listed.withdrawn_at is not null as is_withdrawn,
        papers_listed.is_author_participating,

        -- dates
        papers_listed.published_on,
        spans.list_dates[1] as first_listed_on,
        spans.list_dates[-1] as last_listed_on,
        spans.first_digest_date,
        papers_listed.list_date as source_list_date,

        -- timestamps
        papers_listed.withdrawn_at,
        spans.first_read_at,
        spans.last_read_at
    from spans
    inner join papers_listed
        on
            spans.paper_id = papers_listed.paper_id
            and spans.newest_list_date = papers_listed.list_date
)

select * from final

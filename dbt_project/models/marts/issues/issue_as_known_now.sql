-- What issues carried, today. Grain: one row per issue_date, edition, section and issue_rank.

with

sent as (
    select * from {{ ref('issue_as_sent') }}
),

papers as (
    select * from {{ ref('papers') }}
),

final as (
    select
        -- ids
        sent.issue_date,
        sent.edition,
        sent.section,
        sent.issue_rank,
        sent.paper_id,

        -- strings
        sent.title as sent_title,
        papers.title,
        sent.github_url as sent_github_url,
        papers.github_url,

        -- numbers
        sent.upvotes_count as sent_upvotes_count,
        papers.upvotes_count,
        papers.upvotes_count - sent.upvotes_count as upvotes_gained_count,
        sent.comments_count as sent_comments_count,
        papers.comments_count,
        sent.github_stars_count as sent_github_stars_count,
        papers.github_stars_count,

        -- booleans
        papers.is_withdrawn,
        papers.title != sent.title as has_new_title,
        sent.github_url is null and papers.github_url is not null as has_new_code,

        -- timestamps
        sent.read_at as sent_read_at,
        papers.last_read_at
    from sent
    left join papers on sent.paper_id = papers.paper_id
)

select * from final

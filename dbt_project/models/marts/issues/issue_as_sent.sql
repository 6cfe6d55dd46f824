-- What issues carried. Grain: one row per issue_date, edition, section and issue_rank.

with

issue_papers as (
    select * from {{ source('mailing', 'issue_papers') }}
),

final as (
    select
        -- ids
        issue_date,
        edition,
        section,
        issue_rank,
        paper_id,

        -- strings
        title,
        abstract,
        organization_name,
        github_url,
        project_url,
        why_here,

        -- numbers
        upvotes_count,
        comments_count,
        github_stars_count,

        -- booleans
        is_withdrawn,

        -- timestamps
        read_at
    from issue_papers
)

select * from final

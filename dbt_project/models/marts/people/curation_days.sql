-- How a day's list was put together. Grain: one row per list_date.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_stale_dates('list_date') }}",
    )
}}

with

papers_listed as (
    select
        *,
        case
            when submitted_by is null then null
            else list_contains(
                [lower(author.hub_user) for author in authors if author.hub_user is not null],
                lower(submitted_by)
            )
        end as is_self_submitted,
        row_number() over (
            partition by list_date order by upvotes_count desc nulls last
        ) as votes_rank
    from {{ ref('int_papers_listed') }}
    where not is_removed and {{ is_stale('list_date') }}
),

submitters as (
    select
        list_date,
        count(*) as submitter_count,
        max(submission_count) as most_submissions_count
    from (
        select
            list_date,
            count(*) as submission_count
        from papers_listed
        where submitted_by is not null
        group by list_date, submitted_by
    ) as submissions
    group by list_date
),

days as (
    select
        list_date,
        count(*) as paper_count,
        count(submitted_by) as known_submission_count,
        count(*) filter (where is_self_submitted) as self_submission_count,
        median(list_date - published_on) as submission_lag_days_median,
        max(list_date - published_on) as submission_lag_days_most,
        sum(upvotes_count) as upvotes_total,
        sum(upvotes_count) filter (where votes_rank <= 3) as top_three_upvotes_total,
        sum(comments_count) as comments_total,
        count(github_url) as with_code_count
    from papers_listed
    group by list_date
),

final as (
    select
        -- ids
        days.list_date,

        -- numbers
        days.paper_count,
        coalesce(submitters.submitter_count, 0) as submitter_count,
        round(submitters.most_submissions_count / days.known_submission_count, 4)
            as top_submitter_share,
        days.self_submission_count,
        round(days.self_submission_count / nullif(days.known_submission_count, 0), 4)
            as self_submission_share,
        days.submission_lag_days_median,
        days.submission_lag_days_most,
        coalesce(days.upvotes_total, 0)::bigint as upvotes_total,
        round(days.top_three_upvotes_total / nullif(days.upvotes_total, 0), 4)
            as top_three_votes_share,
        coalesce(days.comments_total, 0)::bigint as comments_total,
        round(days.comments_total / nullif(days.upvotes_total, 0), 4) as comments_per_vote,
        days.with_code_count,
        round(days.with_code_count / days.paper_count, 4) as with_code_share
    from days
    left join submitters on days.list_date = submitters.list_date
)

select * from final

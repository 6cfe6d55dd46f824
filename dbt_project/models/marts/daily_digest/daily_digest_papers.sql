-- The papers of a day's digest, in its order. Grain: one row per digest_date and digest_rank.
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='digest_date',
        post_hook="{{ forget_emptied_digests() }}",
    )
}}

with

-- not materialized: a CTE that is read twice is copied whole otherwise, with all of history.
papers as not materialized (
    select * from {{ ref('papers') }}
),

listings as not materialized (
    select * from {{ ref('listings') }}
),

-- A paper that came to a date, or left it, may change which of its other dates is a repeat.
touched_papers as (
    select paper_id from listings where {{ is_stale('list_date') }}
    {% if is_incremental() %}
    union
    select paper_id from {{ this }} where {{ is_stale('digest_date') }}
    {% endif %}
),

touched_dates as (
    select distinct unnest(list_dates) as list_date
    from papers
    where paper_id in (select touched_papers.paper_id from touched_papers)
),

listed as (
    select
        listings.*,
        papers.first_digest_date,
        listings.first_read_at at time zone 'UTC' as first_read_utc,
        row_number() over (
            partition by listings.list_date
            order by
                listings.upvotes_count desc nulls last,
                listings.comments_count desc nulls last,
                listings.list_rank asc
        ) as digest_rank,
        count(*) over (partition by listings.list_date) as paper_count,
        sum(listings.upvotes_count) over (partition by listings.list_date)::bigint
            as upvotes_total,
        rank() over (
            partition by listings.list_date order by listings.comments_count desc nulls last
        ) as comments_rank,
        count(*) over (
            partition by listings.list_date, listings.comments_count
        ) as same_comments_count
    from listings
    inner join papers on listings.paper_id = papers.paper_id
    where
        not listings.is_removed
        and listings.list_date in (select touched_dates.list_date from touched_dates)
),

final as (
    select
        -- ids
        list_date as digest_date,
        digest_rank,
        paper_id,

        -- strings
        case when digest_rank <= 10 then 'top' else 'also' end as section,
        -- One true phrase made of numbers, the rarest kind of news first. Below these thresholds a
        -- number is no reason to read; the first ten always say at least where they stand.
        case
            when comments_count >= 3 and comments_rank = 1 and same_comments_count = 1
                then format('most discussed of the day: {:,} comments', comments_count)
            when upvotes_gained_count >= 10
                then format(
                    '+{:,} votes since {} UTC',
                    upvotes_gained_count,
                    case
                        when first_read_utc::date = list_date then strftime(first_read_utc, '%H:%M')
                        else strftime(first_read_utc, '%-d %b %H:%M')
                    end
                )
            when github_stars_count >= 100
                then format('{:,} stars on its code', github_stars_count)
            when paper_count = 1 then 'the only paper of the day'
            when digest_rank = 1 then format('top of {:,} papers', paper_count)
            when digest_rank <= 10 and upvotes_count > 0 and upvotes_count >= 0.05 * upvotes_total
                then format('{:.0f}% of the day''s votes', 100 * upvotes_count / upvotes_total)
            when digest_rank <= 10 then format('no. {} of {:,} papers', digest_rank, paper_count)
        end as why_here,

        -- numbers
        -- votes, and the comments as thousandths: 128.006 is 128 votes and 6 comments
        round(coalesce(upvotes_count, 0) + least(coalesce(comments_count, 0), 999) / 1000, 3)
            as score,
        list_rank,
        upvotes_count,
        upvotes_gained_count,
        comments_count,
        github_stars_count,

        -- booleans
        list_date > coalesce(first_digest_date, list_date) as is_repeat,

        -- dates
        first_digest_date
    from listed
)

select * from final

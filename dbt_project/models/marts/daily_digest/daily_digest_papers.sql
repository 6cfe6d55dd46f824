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
        case
            when first_read_utc::date = listings.list_date
                then strftime(first_read_utc, '%H:%M UTC')
            else strftime(first_read_utc, '%-d %b %H:%M UTC')
        end as first_read_words,
        row_number() over (
            partition by listings.list_date
            order by
                listings.upvotes_count desc nulls last,
                listings.comments_count desc nulls last,
                listings.list_rank asc
        ) as digest_rank
    from listings
    inner join papers on listings.paper_id = papers.paper_id
    where
        not listings.is_removed
        and listings.list_date in (select touched_dates.list_date from touched_dates)
),

{{ earlier_listings('listed', 'list_date', 'listed.list_date') }},

final as (
    select
        -- ids
        listed.list_date as digest_date,
        listed.digest_rank,
        listed.paper_id,

        -- strings
        case
            when listed.digest_rank <= {{ var('digest_top_papers') }} then 'top' else 'also'
        end as section,
        -- News only, the rarest first: what the row shows anyway (rank, votes, comments, stars) is
        -- no reason to read, and a phrase on every paper hides those that have one.
        case
            when earlier_listings.earlier_date is not null
                then {{ also_listed_words('listed.list_date') }}
            when listed.has_new_code then 'code added since ' || listed.first_read_words
            when listed.upvotes_gained_count >= 10
                then format(
                    '+{:,} votes since {}', listed.upvotes_gained_count, listed.first_read_words
                )
        end as why_here,

        -- numbers
        -- votes, and the comments as thousandths: 128.006 is 128 votes and 6 comments
        round(
            coalesce(listed.upvotes_count, 0)
            + least(coalesce(listed.comments_count, 0), 999) / 1000,
            3
        ) as score,
        listed.list_rank,
        listed.upvotes_count,
        listed.upvotes_gained_count,
        listed.comments_count,
        listed.github_stars_count,

        -- booleans
        listed.list_date > coalesce(listed.first_digest_date, listed.list_date) as is_repeat,

        -- dates
        listed.first_digest_date
    from listed
    left join earlier_listings
        on
            listed.list_date = earlier_listings.list_date
            and listed.paper_id = earlier_listings.paper_id
)

select * from final

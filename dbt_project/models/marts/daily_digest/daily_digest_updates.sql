-- News of papers sent earlier. Grain: one row per digest_date, section and update_rank.
-- A day whose issue is made has what that issue said; a day after the newest issue has what its
-- own would say now; any other day has nothing. Small, so it is made anew in every build.
{{ config(materialized='table') }}

-- A late bloomer has gained this many votes since its issue and has this many times as many now: of
-- 840 recorded papers read twice, 18 did. Lower, and the section repeats the list; higher, and it
-- is never there.
{%- set late_votes, late_times = 20, 2 -%}
-- Later than this, lists are no longer read again, and a change is no news of an issue.
{%- set news_days = 30 %}

with

-- not materialized: a CTE that is read twice is copied whole otherwise, with all of history.
issue_papers as not materialized (
    select * from {{ ref('issue_as_sent') }} where edition = 'daily'
),

digests as (
    select * from {{ ref('daily_digests') }}
),

digest_papers as (
    select * from {{ ref('daily_digest_papers') }}
),

papers as not materialized (
    select * from {{ ref('papers') }}
),

paper_changes as (
    select * from {{ ref('paper_changes') }}
),

news_sent as (
    select * from issue_papers where section != 'papers'
),

unsent_days as (
    select digest_date from digests
    where
        paper_count > 0
        and digest_date > (select max(issue_papers.issue_date) from issue_papers)
),

-- As the last issue that carried it said: a paper that is listed again is told of anew.
carried as (
    select
        issue_papers.*,
        strftime(issue_date, '%-d %b') as issue_day
    from issue_papers
    where
        section = 'papers'
        and issue_date >= (select min(unsent_days.digest_date) - {{ news_days }} from unsent_days)
    qualify row_number() over (partition by paper_id order by issue_date desc) = 1
),

-- What a reader of the issue does not know yet; a change that was taken back is none.
changed as (
    select
        carried.paper_id,
        paper_changes.field,
        first(paper_changes.old_value order by paper_changes.read_at, paper_changes.list_date)
            as old_value,
        last(paper_changes.new_value order by paper_changes.read_at, paper_changes.list_date)
            as new_value
    from carried
    inner join paper_changes
        on carried.paper_id = paper_changes.paper_id and carried.read_at < paper_changes.read_at
    group by carried.paper_id, paper_changes.field
    having old_value is distinct from new_value
),

late_bloomers as (
    select
        carried.paper_id,
        'late_bloomers' as section,
        papers.upvotes_count - carried.upvotes_count as weight,
        format(
            '+{:,} votes since our issue of {}',
            papers.upvotes_count - carried.upvotes_count,
            carried.issue_day
        ) as why_here
    from carried
    inner join papers on carried.paper_id = papers.paper_id
    where
        papers.upvotes_count >= carried.upvotes_count + {{ late_votes }}
        and papers.upvotes_count >= carried.upvotes_count * {{ late_times }}
        and not papers.is_withdrawn
),

now_has_code as (
    select
        carried.paper_id,
        'now_has_code' as section,
        papers.upvotes_count as weight,
        format(
            '{} added since our issue of {}',
            concat_ws(
                ' and ',
                case
                    when carried.github_url is null and papers.github_url is not null
                        then 'repository'
                end,
                case
                    when carried.project_url is null and papers.project_url is not null
                        then 'project page'
                end
            ),
            carried.issue_day
        ) as why_here
    from carried
    inner join papers on carried.paper_id = papers.paper_id
    where
        not papers.is_withdrawn
        and (
            (carried.github_url is null and papers.github_url is not null)
            or (carried.project_url is null and papers.project_url is not null)
        )
),

-- An organization that the issue did not name yet is nothing that it said wrong.
corrected as (
    select
        changed.paper_id,
        max(case when field = 'withdrawn_at' then 1 else 0 end) as is_about_withdrawal,
        string_agg(
            case field
                when 'withdrawn_at'
                    then if(new_value is null, 'no longer withdrawn', 'withdrawn')
                when 'title' then format('the title was “{}”', old_value)
                when 'organization_name' then format('the organization was {}', old_value)
                when 'abstract' then 'the abstract was revised'
            end,
            '; '
            order by
                list_position(['withdrawn_at', 'title', 'organization_name', 'abstract'], field)
        ) as what
    from changed
    where
        (field = 'withdrawn_at' and (old_value is null) != (new_value is null))
        or field in ('title', 'abstract')
        or (field = 'organization_name' and old_value is not null)
    group by changed.paper_id
),

corrections as (
    select
        carried.paper_id,
        'corrections' as section,
        -- withdrawals first: no vote count reaches this
        corrected.is_about_withdrawal * 1000000000 + coalesce(papers.upvotes_count, 0) as weight,
        format('since our issue of {}: {}', carried.issue_day, corrected.what) as why_here
    from carried
    inner join papers on carried.paper_id = papers.paper_id
    inner join corrected on carried.paper_id = corrected.paper_id
),

news as (
    select * from late_bloomers
    union all
    select * from now_has_code
    union all
    select * from corrections
),

unsent_news as (
    select
        unsent_days.digest_date,
        news.section,
        row_number() over (
            partition by unsent_days.digest_date, news.section
            order by news.weight desc, news.paper_id asc
        ) as update_rank,
        news.paper_id,
        news.why_here,
        papers.upvotes_count
    from unsent_days
    inner join carried
        on
            unsent_days.digest_date > carried.issue_date
            and unsent_days.digest_date <= carried.issue_date + {{ news_days }}
    inner join news on carried.paper_id = news.paper_id
    inner join papers on carried.paper_id = papers.paper_id
    anti join news_sent on news.paper_id = news_sent.paper_id and news.section = news_sent.section
    -- What the day lists again stands in its list, with what is new.
    anti join digest_papers
        on
            unsent_days.digest_date = digest_papers.digest_date
            and news.paper_id = digest_papers.paper_id
    qualify update_rank <= {{ var('digest_news_papers') }}
),

final as (
    select
        -- ids
        digest_date,
        section,
        update_rank,
        paper_id,

        -- strings
        why_here,

        -- numbers
        upvotes_count,

        -- booleans
        false as is_sent
    from unsent_news
    union all
    select
        issue_date as digest_date,
        section,
        issue_rank as update_rank,
        paper_id,
        why_here,
        upvotes_count,
        true as is_sent
    from news_sent
)

select * from final

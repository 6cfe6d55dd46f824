{#-
    Weeks (ISO: Monday to Sunday) and months, made of days. A period is named by its last day, which
    is the date of its issue. The weekly and the monthly marts differ in this unit alone.
-#}

{%- macro first_day(unit, column) -%} date_trunc('{{ unit }}', {{ column }})::date {%- endmacro -%}

{%- macro last_day(unit, column) -%}
    {%- if unit == 'week' -%} {{ column }} + (7 - isodow({{ column }}))::integer
    {%- else -%} last_day({{ column }}) {%- endif -%}
{%- endmacro -%}

{#- 2026-W33, 2026-08: the ISO year of a week, which is not always that of its days. -#}
{%- macro period_name(unit, column) -%}
    strftime({{ column }}, '{{ "%G-W%V" if unit == "week" else "%Y-%m" }}')
{%- endmacro -%}

{#- Whether a period has a stale date; always, unless the model is built incrementally. -#}
{% macro is_stale_period(unit, column) -%}
    {%- if is_incremental() -%}
        {{ column }} in (
            select {{ last_day(unit, 'stale.list_date') }}
            from (select unnest({{ "list_value" ~ stale_list_dates() }}::date[]) as list_date) as stale
        )
    {%- else -%} true {%- endif -%}
{%- endmacro %}

{% macro forget_stale_periods(unit) -%}
    {%- if is_incremental() -%}
        delete from {{ this }} where {{ is_stale_period(unit, 'digest_date') }}
    {%- endif -%}
{%- endmacro %}

{% macro forget_emptied_periods(unit) -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where
            {{ is_stale_period(unit, 'digest_date') }}
            and digest_date not in (
                select {{ last_day(unit, 'digest_date') }} from {{ ref('daily_digest_papers') }}
            )
    {%- endif -%}
{%- endmacro %}

{% macro period_digest_papers(unit) %}
with

-- not materialized: a CTE that is read twice is copied whole otherwise, with all of history.
papers as not materialized (
    select * from {{ ref('papers') }}
),

daily_papers as not materialized (
    select * from {{ ref('daily_digest_papers') }}
),

listings as not materialized (
    select * from {{ ref('listings') }}
),

-- A paper that came to a date, or left it, may change in which of its periods it is a repeat.
touched_papers as (
    select paper_id from daily_papers where {{ is_stale('digest_date') }}
    {% if is_incremental() %}
    union
    select paper_id from {{ this }}
    where {{ is_stale_period(unit, 'digest_date') }}
    {% endif %}
),

touched_dates as (
    select unnest(list_dates) as list_date
    from papers
    where paper_id in (select touched_papers.paper_id from touched_papers)
    {% if is_incremental() %}
    union
    select unnest({{ "list_value" ~ stale_list_dates() }}::date[])
    {% endif %}
),

touched_periods as (
    select distinct {{ last_day(unit, 'list_date') }} as digest_date
    from touched_dates
),

days as (
    select
        digest_date as period_date,
        unnest(
            generate_series({{ first_day(unit, 'digest_date') }}, digest_date, interval 1 day)
        )::date as list_date
    from touched_periods
),

-- A paper once, with the numbers of the newest reading of its lists in this period.
placed as (
    select
        days.period_date as digest_date,
        daily_papers.paper_id,
        list(days.list_date order by days.list_date) as list_dates,
        last(daily_papers.upvotes_count order by listings.last_read_at, days.list_date)
            as upvotes_count,
        last(daily_papers.comments_count order by listings.last_read_at, days.list_date)
            as comments_count,
        last(daily_papers.github_stars_count order by listings.last_read_at, days.list_date)
            as github_stars_count,
        min(daily_papers.digest_rank) as best_rank,
        any_value(daily_papers.first_digest_date) as first_digest_date
    from days
    inner join daily_papers on days.list_date = daily_papers.digest_date
    inner join listings
        on
            daily_papers.digest_date = listings.list_date
            and daily_papers.paper_id = listings.paper_id
    group by days.period_date, daily_papers.paper_id
),

ranked as (
    select
        *,
        row_number() over (
            partition by digest_date
            order by
                upvotes_count desc nulls last,
                comments_count desc nulls last,
                list_dates[1] asc,
                best_rank asc,
                paper_id asc
        ) as digest_rank
    from placed
),

{{ earlier_listings('placed', 'digest_date', first_day(unit, 'placed.digest_date')) }},

final as (
    select
        -- ids
        ranked.digest_date,
        ranked.digest_rank,
        ranked.paper_id,

        -- strings
        case
            when ranked.digest_rank <= {{ var('digest_top_papers') }} then 'top' else 'also'
        end as section,
        -- News only, as in daily_digest_papers.
        case
            when earlier_listings.earlier_date is not null
                then {{ also_listed_words('ranked.digest_date') }}
            when len(ranked.list_dates) > 1
                then format('listed on {} days', len(ranked.list_dates))
        end as why_here,

        -- lists
        ranked.list_dates,

        -- numbers
        ranked.upvotes_count,
        ranked.comments_count,
        ranked.github_stars_count,

        -- booleans
        coalesce(
            ranked.first_digest_date < {{ first_day(unit, 'ranked.digest_date') }}, false
        ) as is_repeat
    from ranked
    left join earlier_listings
        on
            ranked.digest_date = earlier_listings.digest_date
            and ranked.paper_id = earlier_listings.paper_id
)

select * from final
{% endmacro %}

{% macro period_digests(unit, papers_of_period) %}
with

daily_digests as not materialized (
    select * from {{ ref('daily_digests') }}
),

papers as (
    select * from {{ papers_of_period }}
    where {{ is_stale_period(unit, 'digest_date') }}
),

periods as (
    select distinct {{ last_day(unit, 'digest_date') }} as digest_date
    from daily_digests
    where {{ is_stale('digest_date') }}
    {% if is_incremental() %}
    union
    select {{ last_day(unit, 'digest_date') }} from daily_digests
    where {{ is_stale_period(unit, last_day(unit, 'digest_date')) }}
    {% endif %}
),

days as (
    select
        digest_date as period_date,
        unnest(
            generate_series({{ first_day(unit, 'digest_date') }}, digest_date, interval 1 day)
        )::date as list_date
    from periods
),

-- A weekend has no list, unless it had one.
known_days as (
    select
        days.period_date,
        days.list_date,
        daily_digests.last_read_at,
        coalesce(daily_digests.paper_count, 0) > 0 as has_papers,
        coalesce(daily_digests.verdict, 'not read') as verdict,
        (isodow(days.list_date) < 6 or daily_digests.paper_count > 0)
        and coalesce(not {{ is_final('daily_digests.verdict') }}, true) as is_open
    from days
    left join daily_digests on days.list_date = daily_digests.digest_date
),

summed as (
    select
        period_date,
        count(*) filter (where has_papers) as day_count,
        count(*) filter (where is_open) as open_day_count,
        list(
            format('{} ({})', strftime(list_date, '%a %-d %b'), replace(verdict, '_', ' '))
            order by list_date
        ) filter (where is_open) as open_days,
        max(last_read_at) as last_read_at
    from known_days
    group by period_date
),

counts as (
    select
        digest_date,
        count(*) as paper_count,
        sum(upvotes_count)::bigint as upvotes_total
    from papers
    group by digest_date
),

final as (
    select
        -- ids
        summed.period_date as digest_date,

        -- strings
        {{ period_name(unit, 'summed.period_date') }} as period,
        case
            when summed.open_day_count > 0 then 'partial'
            when summed.day_count = 0 then 'empty'
            else 'complete'
        end as verdict,
        case
            when summed.open_day_count > 0
                then format(
                    'Not final yet: {}{}.',
                    array_to_string(summed.open_days[:3], ', '),
                    if(
                        summed.open_day_count > 3,
                        format(' and {} more', summed.open_day_count - 3),
                        ''
                    )
                )
            when summed.day_count = 0 then 'None of its days listed a paper.'
            else 'Every weekday of it has its final verdict.'
        end as reason,

        -- numbers
        summed.day_count,
        summed.open_day_count,
        coalesce(counts.paper_count, 0) as paper_count,
        coalesce(counts.upvotes_total, 0) as upvotes_total,

        -- dates
        {{ first_day(unit, 'summed.period_date') }} as first_date,

        -- timestamps
        summed.last_read_at
    from summed
    left join counts on summed.period_date = counts.digest_date
)

select * from final
{% endmacro %}

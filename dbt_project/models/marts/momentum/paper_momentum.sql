-- How a paper's votes moved from reading to reading. Grain: one row per paper_id and read_at.
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='paper_id',
        post_hook="{{ forget_unread_papers() }}",
    )
}}

with

touched_papers as (
    select paper_id from {{ ref('paper_readings') }} where {{ is_stale('list_date') }}
    {% if is_incremental() %}
    union
    select paper_id from {{ this }} where {{ is_stale('list_date') }}
    {% endif %}
),

papers as (
    select
        paper_id,
        first_listed_on,
        unnest(list_dates) as list_date
    from {{ ref('papers') }}
    where paper_id in (select touched_papers.paper_id from touched_papers)
),

-- Two lists that were read at the same moment show the same paper twice: the newer list counts.
readings as (
    select
        paper_readings.*,
        {{ closes_at('papers.first_listed_on') }} as closed_at
    from {{ ref('paper_readings') }} as paper_readings
    inner join papers
        on
            paper_readings.list_date = papers.list_date
            and paper_readings.paper_id = papers.paper_id
    qualify
        row_number() over (
            partition by paper_readings.paper_id, paper_readings.read_at
            order by paper_readings.list_date desc
        ) = 1
),

-- A window of n hours is measured against the newest reading that is n to 2n hours older: nearer
-- ones would not be n hours, and farther ones would call a month's votes a day's.
measured as (
    select
        *,
        upvotes_count - lag(upvotes_count) over history as votes_gained_count,
        (epoch_us(read_at) - epoch_us(lag(read_at) over history)) / 3600000000
            as hours_since_last_reading,
        {% for name, hours in [('24h', 24), ('72h', 72), ('7d', 168)] %}
        upvotes_count - last_value(upvotes_count) over (
            partition by paper_id
            order by read_at
            range between interval {{ 2 * hours }} hours preceding
            and interval {{ hours }} hours preceding
        ) as votes_gained_{{ name }}_count,
        {% endfor %}
        arg_min(upvotes_count, read_at)
        filter (where read_at between closed_at and closed_at + interval 24 hours)
            over history as closing_upvotes_count
    from readings
    window history as (partition by paper_id order by read_at)
),

final as (
    select
        -- ids
        paper_id,
        read_at,
        list_date,
        reading_id,

        -- numbers
        upvotes_count,
        votes_gained_count,
        round(hours_since_last_reading, 3) as hours_since_last_reading,
        round(votes_gained_count / hours_since_last_reading, 3) as votes_gained_per_hour,
        votes_gained_24h_count,
        votes_gained_72h_count,
        votes_gained_7d_count,
        upvotes_count - closing_upvotes_count as votes_gained_after_list_day_count,
        case
            when upvotes_count < closing_upvotes_count then 0
            else round((upvotes_count - closing_upvotes_count) / nullif(upvotes_count, 0), 4)
        end as votes_gained_after_list_day_share
    from measured
)

select * from final

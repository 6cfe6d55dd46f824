-- The quality of each list date at a glance. Grain: one row per list_date.
-- The checks are those of the reading that the day stands on: of a day that was read to its end
-- the newest admitted one, which its list shows; of any other the newest that a gate judged.

with

daily_digests as (
    select * from {{ ref('daily_digests') }}
),

-- not materialized: a CTE that is read twice is copied whole otherwise, with all of history.
list_readings as not materialized (
    select * from {{ ref('list_readings') }}
),

papers_listed as (
    select * from {{ ref('int_papers_listed') }}
),

gate_results as not materialized (
    select * from {{ ref('gate_results') }}
),

quarantined_items as (
    select * from {{ ref('quarantined_items') }}
),

-- Of lists alone: what trends is judged too, and is of no list.
judged_readings as (
    select
        list_date,
        arg_max(reading_id, read_at) as judged_id,
        arg_max(reading_id, read_at) filter (where is_admitted) as admitted_id
    from list_readings
    where reading_id in (select gate_results.run_id from gate_results)
    group by list_date
),

shown_readings as (
    select
        judged_readings.list_date,
        case
            when {{ is_final('daily_digests.verdict') }}
                then coalesce(judged_readings.admitted_id, judged_readings.judged_id)
            else judged_readings.judged_id
        end as run_id
    from judged_readings
    inner join daily_digests on judged_readings.list_date = daily_digests.digest_date
),

source_counts as (
    select
        shown_readings.list_date,
        list_readings.item_count as source_count
    from shown_readings
    inner join list_readings
        on
            shown_readings.list_date = list_readings.list_date
            and shown_readings.run_id = list_readings.reading_id
),

checks as (
    select
        shown_readings.list_date,
        shown_readings.run_id,
        count(*) filter (where gate_results.is_success) as passed_count,
        count(*) filter (
            where not gate_results.is_success and gate_results.severity = 'warning'
        ) as warning_count,
        count(*) filter (
            where not gate_results.is_success and gate_results.severity = 'critical'
        ) as failure_count,
        max(gate_results.observed_value) filter (
            where not gate_results.is_success and gate_results.column_name = 'new_fields'
        ) as new_fields
    from shown_readings
    inner join gate_results
        on
            shown_readings.list_date = gate_results.list_date
            and shown_readings.run_id = gate_results.run_id
    group by all
),

quarantined as (
    select
        reading_id,
        count(*) as quarantined_count
    from quarantined_items
    group by reading_id
),

readings as (
    select
        list_date,
        count(*) as reading_count,
        max(read_at) as last_read_at
    from list_readings
    group by list_date
),

null_shares as (
    select
        list_date,
        100 * avg((ai_summary is null)::integer) as ai_summary_null_pct,
        100 * avg((len(ai_keywords) = 0)::integer) as ai_keywords_null_pct,
        100 * avg((organization_name is null)::integer) as organization_name_null_pct,
        100 * avg((github_url is null)::integer) as github_url_null_pct,
        100 * avg((submitted_by is null)::integer) as submitted_by_null_pct
    from papers_listed
    where not is_removed
    group by list_date
),

final as (
    select
        -- ids
        daily_digests.digest_date as list_date,
        checks.run_id,

        -- strings
        daily_digests.verdict,
        daily_digests.reason,
        checks.new_fields,

        -- numbers
        daily_digests.paper_count,
        coalesce(source_counts.source_count, 0) as source_count,
        readings.reading_count,
        coalesce(checks.passed_count, 0) as passed_count,
        coalesce(checks.warning_count, 0) as warning_count,
        coalesce(checks.failure_count, 0) as failure_count,
        coalesce(quarantined.quarantined_count, 0) as quarantined_count,
        null_shares.ai_summary_null_pct,
        null_shares.ai_keywords_null_pct,
        null_shares.organization_name_null_pct,
        null_shares.github_url_null_pct,
        null_shares.submitted_by_null_pct,

        -- timestamps
        readings.last_read_at
    from daily_digests
    inner join readings on daily_digests.digest_date = readings.list_date
    left join checks on daily_digests.digest_date = checks.list_date
    left join source_counts on daily_digests.digest_date = source_counts.list_date
    left join quarantined on checks.run_id = quarantined.reading_id
    left join null_shares on daily_digests.digest_date = null_shares.list_date
)

select * from final

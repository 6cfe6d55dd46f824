-- What each check found. Grain: one row per run_id, gate, suite, expectation and column_name.
-- A view over the audit, since the gate of the marts judges after the marts are built.

with

gate_results as (
    select * from {{ source('audit', 'gate_results') }}
),

final as (
    select
        -- ids
        run_id,
        gate,
        suite,
        expectation,
        column_name,

        -- strings
        severity,
        observed_value,
        examples,
        sentence,

        -- numbers
        unexpected_count,

        -- booleans
        is_success,

        -- dates
        list_date,

        -- timestamps
        checked_at
    from gate_results
)

select * from final

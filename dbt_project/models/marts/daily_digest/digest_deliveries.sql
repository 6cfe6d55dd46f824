-- What became of each issue's mail, in counts. Grain: one row per issue_date, edition and state.

with

digest_deliveries as (
    select * from {{ source('mailing', 'digest_deliveries') }}
),

final as (
    select
        -- ids
        edition,
        state,

        -- numbers
        delivery_count,

        -- dates
        issue_date
    from digest_deliveries
)

select * from final

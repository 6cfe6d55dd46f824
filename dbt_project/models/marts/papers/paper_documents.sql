-- Items as the Hub gave them. Grain: one row per list_date, paper_id and document_id.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_stale_dates('list_date') }}",
    )
}}

with

items as (
    select * from {{ ref('stg_hub__items') }} where {{ is_stale('list_date') }}
),

final as (
    select
        -- ids
        list_date,
        paper_id,
        md5(document_json) as document_id,

        -- strings
        any_value(document_json) as document_json
    from items
    group by list_date, paper_id, document_id
)

select * from final

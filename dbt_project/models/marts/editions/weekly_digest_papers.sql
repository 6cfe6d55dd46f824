-- The papers of a week, each once, by votes. Grain: one row per digest_date and digest_rank.
-- The rule is that of every period: macros/periods.sql.
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='digest_date',
        post_hook="{{ forget_emptied_periods('week') }}",
    )
}}
{{ period_digest_papers('week') }}

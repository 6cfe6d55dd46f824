-- Weeks of papers, as far as they are known. Grain: one row per digest_date.
-- The rule is that of every period: macros/periods.sql.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_stale_periods('week') }}",
    )
}}
{{ period_digests('week', ref('weekly_digest_papers')) }}

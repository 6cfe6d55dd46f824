{#-
    What a build has to do: the list dates in staging.stale_list_dates, which the pipeline writes
    before it calls dbt. It gives them to the build as the variable stale_list_dates too: a hundred
    questions of dbt's for the table were a fifth of a day's build. dbt by hand asks the table.
-#}

{#- The stale dates as literals: (date '2026-08-13', …). DuckDB pushes literals below the JSON
    parsing of a view, a subquery stays above it and the whole history would be parsed.
    before, after: with the dates that are at most so many days before or after a stale one, for
    windows that reach over several lists. -#}
{% macro stale_list_dates(before=0, after=0) -%}
    {%- set given = var('stale_list_dates', none) if before == after == 0 else none -%}
    {%- if given is not none -%}
        {%- set dates = given -%}
    {%- elif execute -%}
        {%- set dates = run_query(
            "select distinct list_date + day::integer as list_date from "
            ~ source('pipeline', 'stale_list_dates')
            ~ " cross join range(-" ~ before ~ ", " ~ after ~ " + 1) as days (day)"
            ~ " order by list_date"
        ).columns[0].values() -%}
    {%- else -%}
        {%- set dates = [] -%}
    {%- endif -%}
    (
    {%- for list_date in dates -%}
        date '{{ list_date }}'{{ ", " if not loop.last }}
    {%- else -%}
        null
    {%- endfor -%}
    )
{%- endmacro %}

{#- Whether a row belongs to this build: always, unless the model is built incrementally. -#}
{% macro is_stale(column, before=0, after=0) -%}
    {%- if is_incremental() -%}
        {{ column }} in {{ stale_list_dates(before, after) }}
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{#- Pre-hook: drop the rows of the stale dates, in the transaction that inserts the new ones.
    delete+insert would leave the rows of a date that has no admitted reading any more. -#}
{% macro forget_stale_dates(column, before=0, after=0) -%}
    {%- if is_incremental() -%}
        delete from {{ this }} where {{ is_stale(column, before, after) }}
    {%- endif -%}
{%- endmacro %}

{#- Whether a row of papers was on a stale date. Only for incremental builds. The span comes first:
    its columns say of most of the table, unread, that it has no such paper. -#}
{% macro was_on_stale_date() -%}
    {%- set dates = "list_value" ~ stale_list_dates() -%}
    last_listed_on >= list_min({{ dates }})
    and first_listed_on <= list_max({{ dates }})
    and list_has_any(list_dates, {{ dates }})
{%- endmacro %}

{#- How many as-of dates after its own a list takes part in trending_papers. -#}
{% macro trending_reach() -%} {{ var('trending_window_days') | int - 1 }} {%- endmacro %}

{#- Post-hooks: what delete+insert leaves behind, since it deletes only keys that it inserts. -#}
{% macro forget_unlisted_papers() -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where
            {{ was_on_stale_date() }}
            and paper_id not in (
                select paper_id from {{ ref('int_papers_listed') }} where {{ is_stale('list_date') }}
            )
    {%- endif -%}
{%- endmacro %}

{% macro forget_former_authors() -%}
    {%- if is_incremental() -%}
        delete from {{ this }} as authors
        where
            paper_id in (
                select paper_id from {{ this }} where {{ is_stale('source_list_date') }}
                union all
                select paper_id from {{ ref('papers') }} where {{ is_stale('source_list_date') }}
            )
            and not exists (
                select 1 from {{ ref('papers') }} as papers
                where papers.paper_id = authors.paper_id and papers.reading_id = authors.reading_id
            )
    {%- endif -%}
{%- endmacro %}

{% macro forget_emptied_digests() -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where
            {{ is_stale('digest_date') }}
            and digest_date not in (
                select list_date from {{ ref('listings') }}
                where {{ is_stale('list_date') }} and not is_removed
            )
    {%- endif -%}
{%- endmacro %}

{#- Of a paper that is left, every row was made anew; of one that no reading shows, none. -#}
{% macro forget_unread_papers() -%}
    {%- if is_incremental() -%}
        delete from {{ this }} as momentum
        where
            {{ is_stale('list_date') }}
            and not exists (
                select 1 from {{ ref('paper_readings') }} as paper_readings
                where
                    {{ is_stale('paper_readings.list_date') }}
                    and paper_readings.list_date = momentum.list_date
                    and paper_readings.paper_id = momentum.paper_id
                    and paper_readings.read_at = momentum.read_at
            )
    {%- endif -%}
{%- endmacro %}

{#- Whoever has one version only has no change: what an earlier build found of such a paper goes. -#}
{% macro forget_unchanged_papers() -%}
    {%- if is_incremental() -%}
        {%- set touched -%}
            select paper_id from {{ this }}
            where {{ is_stale('list_date') }} or {{ is_stale('previous_list_date') }}
        {%- endset -%}
        delete from {{ this }}
        where
            paper_id in ({{ touched }})
            and paper_id not in (
                select paper_id from {{ ref('int_papers_versioned') }}
                where paper_id in ({{ touched }})
                group by paper_id
                having count(distinct field_values) > 1
            )
    {%- endif -%}
{%- endmacro %}

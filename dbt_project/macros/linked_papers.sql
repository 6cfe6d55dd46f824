{#- What a reading of the kind `linked` has of one paper, for from_json; repositories stay JSON. -#}
{% macro linked_structure() -%}
    {
        "answer": {
            "venue": "VARCHAR",
            "linkedModels": ["JSON"],
            "linkedDatasets": ["JSON"],
            "linkedSpaces": ["JSON"],
            "numTotalModels": "BIGINT",
            "numTotalDatasets": "BIGINT",
            "numTotalSpaces": "BIGINT"
        }
    }
{%- endmacro %}

{#- The papers that a reading of a stale date asked about, as literals, whatever became of the
    reading: DuckDB pushes literals below the JSON parsing of a view. -#}
{% macro papers_asked_about() -%}
    {%- set ids = run_query(
        "select distinct items.paper_id from " ~ source('hub', 'items') ~ " as items"
        ~ " inner join " ~ source('hub', 'readings') ~ " as readings"
        ~ " on items.reading_id = readings.reading_id and items.list_date = readings.list_date"
        ~ " where readings.kind = 'linked' and items.list_date in " ~ stale_list_dates()
        ~ " order by items.paper_id"
    ).columns[0].values() if execute else [] -%}
    (
    {%- for paper_id in ids -%}
        '{{ paper_id | replace("'", "''") }}'{{ ", " if not loop.last }}
    {%- else -%}
        null
    {%- endfor -%}
    )
{%- endmacro %}

{% macro is_asked_about() -%}
    {%- if is_incremental() -%}
        paper_id in {{ papers_asked_about() }}
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{#- Pre-hook: drop what is known of these papers, in the transaction that inserts it anew. -#}
{% macro forget_papers_asked_about() -%}
    {%- if is_incremental() -%}
        delete from {{ this }} where {{ is_asked_about() }}
    {%- endif -%}
{%- endmacro %}

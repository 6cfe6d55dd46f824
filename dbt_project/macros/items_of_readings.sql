{#- The CTE `items` and what it needs, after a CTE `readings`: the items of these readings, each with
    the verdict of its reading, without the quarantined ones. -#}
{% macro items_of_readings() -%}
quarantined_items as (
    select * from {{ source('audit', 'quarantined_items') }}
),

items as (
    select
        items.*,
        readings.verdict
    from {{ source('hub', 'items') }} as items
    inner join readings
        on
            items.reading_id = readings.reading_id
            and items.list_date = readings.list_date
    anti join quarantined_items
        on
            items.reading_id = quarantined_items.reading_id
            and items.position = quarantined_items.position
)
{%- endmacro %}

{#- The same of a kind of readings that is no list, of those that their gate let through. -#}
{% macro items_apart(kind) -%}
readings as (
    select * from {{ source('audit', 'judged_readings') }}
    where kind = '{{ kind }}' and is_admitted
),

{{ items_of_readings() }}
{%- endmacro %}

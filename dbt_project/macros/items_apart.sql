{#- The CTE `items` and what it needs: what readings of a kind that is no list brought, of those that
    their gate let through, without their quarantined items. -#}
{% macro items_apart(kind) -%}
readings as (
    select * from {{ source('audit', 'judged_readings') }}
    where kind = '{{ kind }}' and is_admitted
),

quarantined_items as (
    select * from {{ source('audit', 'quarantined_items') }}
),

items as (
    select items.*
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

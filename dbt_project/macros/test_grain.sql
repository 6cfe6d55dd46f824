{#- The model has one row per these columns, and none of them is null. With a date column only the
    dates of this build are looked at, so that a test does not grow with history. -#}
{% test grain(model, columns, date_column=none) %}
    select
        {{ columns | join(', ') }},
        count(*) as row_count
    from {{ model }}
    {%- if date_column and not flags.FULL_REFRESH %}
    where {{ date_column }} in {{ stale_list_dates() }}
    {%- endif %}
    group by all
    having count(*) > 1 {%- for column in columns %} or {{ column }} is null {%- endfor %}
{% endtest %}

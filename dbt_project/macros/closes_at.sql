{#- The moment after which the Hub adds nothing to the list of this date by its day. -#}
{% macro closes_at(list_date) -%}
    ({{ list_date }} + time '{{ var("feed_turn") }}') at time zone '{{ var("feed_zone") }}'
{%- endmacro %}

{#- A number with its noun: 1 vote, 1,204 votes. -#}
{% macro counted(count, noun) -%}
    format('{:,} {{ noun }}{}', {{ count }}, if({{ count }} = 1, '', 's'))
{%- endmacro %}

{#- Whether nothing is left to be read of a day with this verdict. -#}
{% macro is_final(verdict) -%} {{ verdict }} in ('complete', 'empty') {%- endmacro %}

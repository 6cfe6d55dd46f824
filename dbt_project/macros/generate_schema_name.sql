{#- Schemas are called what the project says (marts, not marts_staging): readers name them in SQL. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}

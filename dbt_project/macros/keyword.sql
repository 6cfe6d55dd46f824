{#- A keyword as its spellings agree on it: lower case, spaces for hyphens and underscores, the last
    word without its last s, where that is surely the plural (models, but not analysis, bias, physics;
    videos, scenarios, metrics and gpus keep theirs too). -#}
{% macro normal_keyword(text) -%}
    nullif(regexp_replace(
        trim(regexp_replace(lower({{ text }}), '[-_\s\x{2010}-\x{2015}]+', ' ', 'g')),
        '([a-z]{2}[^siucaoy])s$', '\1'
    ), '')
{%- endmacro %}

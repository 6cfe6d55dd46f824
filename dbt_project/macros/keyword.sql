{#- A keyword as its spellings agree on it: lower case, spaces for hyphens and underscores, the last
    word in the singular where its ending is surely the plural's. Each rule takes what the one before
    left. Words in as, cs, is, os, ss, us and ys keep their s: analysis, bias, physics; so do videos,
    scenarios, metrics and gpus. -#}
{% macro normal_keyword(text) -%}
    {%- set rules = [
        ('([a-z]{2})ies$', '\\1y'),
        ('(ss|sh|[^a]x|[a-z]ax|[^ai]ch|[eo]ach|bias|canvas|corpus|lens|status|virus)es$', '\\1'),
        ('(ind|vert)ices$', '\\1ex'),
        ('matrices$', 'matrix'),
        ('(analy|the|diagno)ses$', '\\1sis'),
        ('([a-z]{2}[^siucaoy ])s$', '\\1'),
        ('\\bsery$', 'series'),
        ('\\bspecy$', 'species'),
        ('\\b(mov|cook)y$', '\\1ie'),
        ('\\blen$', 'lens'),
    ] -%}
    nullif(
        {{ "regexp_replace(" * rules | length -}}
        trim(regexp_replace(lower({{ text }}), '[-_\s\x{2010}-\x{2015}]+', ' ', 'g'))
        {%- for ending, singular in rules %}, '{{ ending }}', '{{ singular }}'){% endfor -%}
        , ''
    )
{%- endmacro %}

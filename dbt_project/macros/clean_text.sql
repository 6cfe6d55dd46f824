{#- Text on one line: line breaks, tabs and other control characters become single spaces. -#}
{% macro one_line(text) -%}
    nullif(trim(regexp_replace({{ text }}, '[\s\pZ\p{Cc}]+', ' ', 'g')), '')
{%- endmacro %}

{#- Text in paragraphs, parted by one empty line. arXiv breaks lines with a bare newline and starts
    a paragraph with a newline and spaces, so only a newline before more white space is kept. -#}
{% macro paragraphs(text) -%}
    nullif(trim(regexp_replace(regexp_replace(regexp_replace(
        {{ text }},
        '\r?\n(\S)', ' \1', 'g'),
        '[^\S\n\r]*\r?\n\s*', chr(10) || chr(10), 'g'),
        '[\pZ\x00-\x09\x0b-\x1f\x7f-\x9f]+', ' ', 'g'),
        chr(10) || ' '), '')
{%- endmacro %}

{#- A link fit for a reader: http or https and no white space inside, else null. -#}
{% macro web_url(text) -%}
    case when regexp_full_match(trim({{ text }}), '(?i)https?://[^\s/][^\s]*') then trim({{ text }}) end
{%- endmacro %}

{#- https://github.com/owner/repository, without what people paste around it (.git, /tree/main, ?tab=…);
    only the owner where only the owner is given; null for what is no link at all. -#}
{% macro repository_url(text) -%}
    {%- set compact = "regexp_replace(" ~ text ~ ", '[\\s\\pZ]+', '', 'g')" -%}
    case
        when regexp_matches({{ compact }}, '(?i)^(https?://)?(www\.)?github\.com/+[^/?#]')
            then regexp_replace(
                regexp_replace(
                    {{ compact }},
                    '(?i)^(https?://)?(www\.)?github\.com/+([^/?#]+)(/+([^/?#]+))?.*$',
                    'https://github.com/\3/\5'
                ),
                '(\.git)?/?$', ''
            )
        else {{ web_url(compact) }}
    end
{%- endmacro %}

{#- A Hub item, compact JSON, with 0 for what moves from reading to reading and is kept beside it,
    in paper_readings: a paper that is read thirty times is then kept a few times. Done on the text,
    since DuckDB's JSON functions change the order of fields. Where one of these names stands
    anywhere but in its place, the item is kept whole. -#}
{% macro without_moving_numbers(item) -%}
    {%- set number = '"(upvotes|githubStars|numComments|followerCount)":-?[0-9]+([,}])' -%}
    {%- set answer = '"(isAuthorParticipating)":(?:true|false)([,}])' -%}
    if(
        len(regexp_extract_all({{ item }}, '{{ number }}|{{ answer }}'))
        = list_sum([
            json_exists({{ item }}, place)::integer
            for place in [
                '$.paper.upvotes', '$.paper.githubStars', '$.numComments',
                '$.submittedBy.followerCount', '$.isAuthorParticipating'
            ]
        ]),
        regexp_replace(
            regexp_replace({{ item }}, '{{ number }}', '"\1":0\2', 'g'),
            '{{ answer }}', '"\1":false\2', 'g'
        ),
        {{ item }}
    )
{%- endmacro %}

{#-
    The newest list that brought a paper before `first_date`, where a digest before it did: its
    date, and the votes then. A reading counts as of then until noon of the day after, when the list
    had closed and its issue was out; of a list that was read only later the votes are not known.
-#}
{%- macro earlier_listings(listed, key, first_date) -%}
earlier_listings as (
    select
        {{ listed }}.{{ key }},
        {{ listed }}.paper_id,
        max(readings.list_date) as earlier_date,
        case
            when max(readings.list_date) = max(readings.list_date) filter (where {{ was_read_then() }})
                then
                    arg_max(readings.upvotes_count, (readings.list_date, readings.read_at))
                        filter (where {{ was_read_then() }})
        end as earlier_upvotes_count
    from {{ listed }}
    inner join {{ ref('paper_readings') }} as readings on {{ listed }}.paper_id = readings.paper_id
    where
        {{ listed }}.first_digest_date < {{ first_date }}
        and readings.list_date < {{ first_date }}
    group by {{ listed }}.{{ key }}, {{ listed }}.paper_id
)
{%- endmacro -%}

{%- macro was_read_then() -%}
    readings.read_at at time zone 'UTC' < readings.list_date + interval 36 hour
{%- endmacro -%}

{#- also listed on 14 Aug, then with 2 votes; `day` is the list that brings it again. -#}
{%- macro also_listed_words(day) -%}
    format(
        'also listed on {}{}',
        case
            when year(earlier_listings.earlier_date) = year({{ day }})
                then strftime(earlier_listings.earlier_date, '%-d %b')
            else strftime(earlier_listings.earlier_date, '%-d %b %Y')
        end,
        case
            when earlier_listings.earlier_upvotes_count is not null
                then ', then with ' || {{ counted('earlier_listings.earlier_upvotes_count', 'vote') }}
            else ''
        end
    )
{%- endmacro -%}

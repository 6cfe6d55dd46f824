-- Authors in the order of the paper. Grain: one row per paper_id and author_position.
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='paper_id',
        post_hook="{{ forget_former_authors() }}",
    )
}}

with

-- not materialized: a CTE that is read twice is copied whole otherwise, with all of history.
papers as not materialized (
    select * from {{ ref('papers') }}
),

papers_listed as (
    select * from {{ ref('int_papers_listed') }}
),

touched_papers as (
    select paper_id from papers where {{ is_stale('source_list_date') }}
    {% if is_incremental() %}
    union
    select paper_id from {{ this }} where {{ is_stale('source_list_date') }}
    {% endif %}
),

authors as (
    select
        papers.paper_id,
        papers.reading_id,
        papers.source_list_date,
        unnest(papers_listed.authors) as author,
        generate_subscripts(papers_listed.authors, 1) as author_position
    from papers
    inner join papers_listed
        on
            papers.paper_id = papers_listed.paper_id
            and papers.source_list_date = papers_listed.list_date
    where papers.paper_id in (select touched_papers.paper_id from touched_papers)
),

final as (
    select
        -- ids
        paper_id,
        author_position,
        reading_id,

        -- strings
        author.author_name,
        author.hub_user,

        -- booleans
        author.is_hidden,

        -- dates
        source_list_date
    from authors
)

select * from final

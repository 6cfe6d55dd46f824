-- What is linked with a paper. Grain: one row per paper_id, repository_kind and repository_id.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_papers_asked_about() }}",
    )
}}

with

-- All readings of the papers at hand: a repository is gone where the newest one lacks it.
linked_papers as (
    select * from {{ ref('stg_hub__linked_papers') }} where {{ is_asked_about() }}
),

by_kind as (
    select
        paper_id,
        read_at,
        'model' as repository_kind,
        models as repositories,
        models_count as repository_count
    from linked_papers
    where models is not null

    union all

    select
        paper_id,
        read_at,
        'dataset' as repository_kind,
        datasets as repositories,
        datasets_count as repository_count
    from linked_papers
    where datasets is not null

    union all

    select
        paper_id,
        read_at,
        'space' as repository_kind,
        spaces as repositories,
        spaces_count as repository_count
    from linked_papers
    where spaces is not null
),

newest as (
    select
        paper_id,
        repository_kind,
        max(read_at) as newest_read_at,
        arg_max(repository_count <= len(repositories), read_at) as is_whole
    from by_kind
    group by paper_id, repository_kind
),

unfolded as (
    select
        paper_id,
        repository_kind,
        read_at,
        unnest(repositories) as repository,
        generate_subscripts(repositories, 1) as repository_rank
    from by_kind
),

sightings as (
    select
        *,
        json_extract_string(repository, '$.id') as repository_id
    from unfolded
),

repositories as (
    select
        paper_id,
        repository_kind,
        repository_id,
        arg_max(repository, (read_at, -repository_rank)) as repository,
        arg_max(repository_rank, (read_at, -repository_rank)) as repository_rank,
        min(read_at) as first_read_at,
        max(read_at) as last_read_at
    from sightings
    group by paper_id, repository_kind, repository_id
),

final as (
    select
        -- ids
        repositories.paper_id,
        repositories.repository_kind,
        repositories.repository_id,

        -- strings
        'https://huggingface.co/'
        || case repositories.repository_kind
            when 'dataset' then 'datasets/'
            when 'space' then 'spaces/'
            else ''
        end
        || repositories.repository_id as repository_url,
        repositories.repository::text as repository_json,

        -- numbers
        case
            when repositories.last_read_at = newest.newest_read_at
                then repositories.repository_rank
        end as repository_rank,
        json_extract(repositories.repository, '$.likes')::bigint as likes_count,
        json_extract(repositories.repository, '$.downloads')::bigint as downloads_count,

        -- booleans
        repositories.last_read_at < newest.newest_read_at and newest.is_whole as is_gone,

        -- timestamps
        repositories.first_read_at,
        repositories.last_read_at
    from repositories
    inner join newest
        on
            repositories.paper_id = newest.paper_id
            and repositories.repository_kind = newest.repository_kind
)

select * from final

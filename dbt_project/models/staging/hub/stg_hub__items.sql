-- What a reading shows of a paper. Grain: one row per reading_id and paper_id.
-- Every field from where it really is. Admitted readings only, without their quarantined items.

with

readings as (
    select * from {{ ref('stg_hub__readings') }}
    where is_admitted
),

{{ items_of_readings() }},

-- The Hub once gave a paper twice in one response: its first place counts.
distinct_items as (
    select * from items
    qualify
        row_number() over (partition by list_date, reading_id, paper_id order by position) = 1
),

parsed as (
    select
        *,
        row_number() over (partition by list_date, reading_id order by position) as list_rank,
        from_json(item, '{{ hub_item_structure() }}') as doc
    from distinct_items
),

final as (
    select
        -- ids
        reading_id,
        paper_id,
        doc.paper.discussionid as discussion_id,
        coalesce(
            {{ one_line('doc.paper.organization._id') }},
            {{ one_line('doc.paper.organization.name') }},
            {{ one_line('doc.organization._id') }},
            {{ one_line('doc.organization.name') }},
            {{ one_line('doc.submitterorganization._id') }},
            {{ one_line('doc.submitterorganization.name') }}
        ) as organization_id,

        -- strings
        coalesce({{ one_line('doc.paper.title') }}, {{ one_line('doc.title') }}) as title,
        coalesce({{ paragraphs('doc.paper.summary') }}, {{ paragraphs('doc.summary') }})
            as abstract,
        {{ one_line('doc.paper.ai_summary') }} as ai_summary,
        coalesce(
            {{ one_line('doc.paper.organization.fullname') }},
            {{ one_line('doc.paper.organization.name') }},
            {{ one_line('doc.organization.fullname') }},
            {{ one_line('doc.organization.name') }},
            {{ one_line('doc.submitterorganization.fullname') }},
            {{ one_line('doc.submitterorganization.name') }}
        ) as organization_name,
        coalesce(
            {{ one_line('doc.paper.organization.name') }},
            {{ one_line('doc.organization.name') }},
            {{ one_line('doc.submitterorganization.name') }}
        ) as organization_handle,
        coalesce(
            {{ one_line('doc.submittedby.name') }},
            {{ one_line('doc.paper.submittedondailyby.user') }}
        ) as submitted_by,
        {{ repository_url('doc.paper.githubrepo') }} as github_url,
        {{ one_line('doc.paper.githubrepoaddedby') }} as github_added_by,
        {{ web_url('doc.paper.projectpage') }} as project_url,
        {{ web_url('doc.thumbnail') }} as thumbnail_url,
        {{ without_moving_numbers('item') }} as document_json,

        -- lists
        coalesce(
            [
                {{ one_line('word') }}
                for word in doc.paper.ai_keywords
                if {{ one_line('word') }} is not null
            ],
            []
        ) as ai_keywords,
        [
            {{ web_url('url') }}
            for url in coalesce(doc.mediaurls, doc.paper.mediaurls, [doc.mediaurl])
            if {{ web_url('url') }} is not null
        ] as media_urls,
        [
            {
                'author_name': {{ one_line('author.name') }},
                'hub_user': {{ one_line('author.user.user') }},
                'is_hidden': coalesce(author.hidden, false)
            }
            for author in doc.paper.authors
            if {{ one_line('author.name') }} is not null
        ] as authors,

        -- numbers
        list_rank,
        upvotes_count,
        comments_count,
        doc.paper.githubstars as github_stars_count,
        case when doc.submittedby.followercount >= 0 then doc.submittedby.followercount end
            as submitter_followers_count,

        -- booleans
        doc.isauthorparticipating as is_author_participating,
        verdict = 'complete' as is_complete,

        -- dates
        list_date,
        (published_at at time zone 'UTC')::date as published_on,

        -- timestamps
        try_cast(doc.paper.withdrawnat as timestamptz) as withdrawn_at,
        read_at
    from parsed
)

-- left out: the outer publishedAt (three meanings in three years), avatars, _dlt_*
select * from final

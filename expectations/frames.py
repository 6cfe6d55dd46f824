"""The frames that the suites judge, read once with plain DuckDB; `reading_id` is in each of them.

raw.*, marts.*, audit.gates ──▶ one row an item, a reading, a digest, a digest paper

Great Expectations never gets the database: its own connection would keep the file open.
"""

from collections.abc import Sequence
from datetime import date

import pandas as pd
from duckdb import DuckDBPyConnection

from expectations import ADMITTED, JUDGED, SHOWN, USUAL_OF_FEWEST, USUAL_OF_MOST, USUAL_WITHIN_DAYS

# What is looked up in the JSON of an item, once; the history of a field is its share here.
_FACTS = f"""
    create or replace temp table gate_item_facts as
    with bounds as (
        select min(list_date) as first_date, max(list_date) as last_date
        from raw.readings
        where load_id = $load_id and {JUDGED}
    ),
    admitted as ({ADMITTED}),
    candidates as (
        select reading_id, list_date, read_at from raw.readings
        where load_id = $load_id and {JUDGED}
        union
        select reading_id, list_date, read_at from admitted
        where list_date between
            (select first_date - interval 30 days from bounds) and (select last_date from bounds)
    ),
    found as (
        select
            items.reading_id,
            items.position,
            items.contract_error is null as is_kept,
            items.listed_on is not null as has_list_date,
            json_array_length(items.item, '$.paper.authors') as author_count,
            json_extract_string(items.item, [
                '$.paper.ai_summary', '$.paper.ai_keywords[0]', '$.paper.githubRepo',
                '$.paper.organization.name', '$.organization.name', '$.submitterOrganization.name',
                '$.paper.submittedOnDailyBy.user', '$.submittedBy.name'
            ]) as fields
        from raw.items
        inner join candidates using (reading_id)
    )
    select
        reading_id,
        position,
        case when is_kept then author_count end as author_count,
        has_list_date,
        fields[1] is not null as has_ai_summary,
        coalesce(fields[2], '') <> '' as has_ai_keywords,
        fields[3] is not null as has_github_repo,
        coalesce(fields[4], fields[5], fields[6]) is not null as has_organization,
        coalesce(fields[7], fields[8]) is not null as has_submitter,
    from found
"""

_ITEMS = f"""
    select
        reading_id,
        items.position,
        items.list_date::text as list_date,
        items.paper_id,
        items.title,
        items.upvotes_count,
        items.comments_count,
        -- what trends comes from many lists
        case when readings.kind = 'daily' then items.listed_on::text end as listed_on,
        items.contract_error,
        case when items.contract_error is null then nullif(concat_ws(
            ', ',
            case when items.title is null then 'title' end,
            case when items.upvotes_count is null then 'upvotes' end,
            case when items.comments_count is null then 'comments' end,
            case when items.published_at is null then 'publication date' end
        ), '') end as missing_fields,
        year(items.published_at at time zone 'UTC') as published_year,
        date_diff(
            'day', items.read_at at time zone 'UTC', items.published_at at time zone 'UTC'
        ) as published_days_after_reading,
        date_diff(
            'day', items.list_date::timestamp, items.published_at at time zone 'UTC'
        ) as published_days_after_listing,
        case when items.paper_id is null then 1 else row_number() over (
            partition by reading_id, items.paper_id
            order by items.contract_error is not null, items.position
        ) end as repeat_number,
        facts.author_count,
    from raw.items
    inner join raw.readings using (reading_id)
    left join gate_item_facts as facts using (reading_id, position)
    where readings.load_id = $load_id and {JUDGED}
    order by reading_id, items.position
"""

# A list is compared with the newest readings of the days before it, this load's own among them;
# what trends is no list, and compared with none.
_READINGS = f"""
    with load as (
        select reading_id, kind, list_date, verdict, item_count, new_fields
        from raw.readings
        where load_id = $load_id and {JUDGED}
    ),
    admitted as ({ADMITTED}),
    known as (
        select reading_id, list_date, read_at, item_count from raw.readings
        where load_id = $load_id and is_whole
        union
        select reading_id, list_date, read_at, item_count from admitted
    ),
    newest as (
        select * from known
        where item_count > 0
        qualify row_number() over (partition by list_date order by read_at desc) = 1
    ),
    same_weekdays as (
        select load.reading_id, newest.item_count
        from load
        inner join newest on
            load.kind = 'daily'
            and newest.list_date < load.list_date
            and newest.list_date >= load.list_date - interval {USUAL_WITHIN_DAYS} days
            and isodow(newest.list_date) = isodow(load.list_date)
        qualify row_number() over (
            partition by load.reading_id order by newest.list_date desc
        ) <= {USUAL_OF_MOST}
    ),
    usual_counts as (
        select reading_id, median(item_count) as usual_count
        from same_weekdays
        group by reading_id
        having count(*) >= {USUAL_OF_FEWEST}
    ),
    facts as (
        select
            reading_id,
            count(*) as fact_count,
            {{counts}}
        from gate_item_facts
        group by reading_id
    ),
    shares as (
        select
            load.reading_id,
            {{shares}}
        from load
        inner join newest on
            load.kind = 'daily'
            and newest.list_date < load.list_date
            and newest.list_date >= load.list_date - interval 30 days
        inner join facts on newest.reading_id = facts.reading_id
        group by load.reading_id
        having count(*) >= 5
    ),
    arrived as (
        select
            reading_id,
            count(*) as row_count,
            max(upvotes_count) as most_upvotes,
            mode(listed_on)::text as answered_date,
            -- since 2015 an arXiv id has five digits behind the dot, and four before it always
            string_agg(paper_id, ', ') filter (
                regexp_full_match(
                    paper_id,
                    '(1[5-9]|[2-9][0-9])[0-9][0-9][.][0-9]?[0-9]?[0-9]?[0-9]?'
                    '|[0-9]?[0-9]?[0-9]?[.][0-9]*'
                )
            ) as short_ids
        from raw.items
        where reading_id in (select reading_id from load)
        group by reading_id
    )
    select
        load.reading_id,
        load.list_date::text as list_date,
        load.item_count,
        coalesce(arrived.row_count, 0) as row_count,
        case when load.kind = 'daily' then arrived.answered_date end as answered_date,
        arrived.short_ids,
        case when arrived.row_count >= 10 then arrived.most_upvotes end as most_upvotes,
        case when isodow(load.list_date) < 6 then load.item_count end as weekday_item_count,
        nullif(array_to_string(from_json(load.new_fields, '["varchar"]'), ', '), '') as new_fields,
        usual_counts.usual_count,
        case when load.verdict = 'complete' then load.item_count / usual_counts.usual_count end
            as volume_ratio,
        {{ratios}}
    from load
    left join arrived using (reading_id)
    left join usual_counts using (reading_id)
    left join facts using (reading_id)
    left join shares using (reading_id)
    order by load.reading_id
"""

# Only the reading that a digest shows can be judged by it.
_DIGESTS_JUDGED = f"""
    create or replace temp table gate_digests as
    with newest as ({SHOWN})
    select
        reading_id,
        list_date,
        read_at,
        item_count - (
            select count(*) from audit.quarantined_items as quarantined
            where quarantined.reading_id = newest.reading_id
        ) as reading_count
    from newest
    where load_id = $load_id
"""

# An earlier issue that is this one again must hold its first paper: only those are compared.
_DIGESTS = """
    with ranked as (
        select
            papers.digest_date,
            papers.digest_rank,
            papers.paper_id,
            row_number() over (
                partition by papers.digest_date order by papers.digest_rank, papers.paper_id
            ) as place
        from marts.daily_digest_papers as papers
        semi join gate_digests as judged on papers.digest_date = judged.list_date
    ),
    contents as (
        select
            digest_date,
            count(*) as digest_count,
            string_agg(
                paper_id || ' as ' || digest_rank, ', ' order by place
            ) filter (where digest_rank is distinct from place) as misplaced_ranks,
            arg_min(paper_id, place) as first_paper_id,
            list_sort(list(paper_id)) as paper_ids
        from ranked
        group by digest_date
    ),
    earlier as (
        select digest_date, list_sort(list(paper_id)) as paper_ids
        from marts.daily_digest_papers
        where digest_date in (
            select papers.digest_date
            from marts.daily_digest_papers as papers
            inner join contents on papers.paper_id = contents.first_paper_id
        )
        group by digest_date
    ),
    repeats as (
        select contents.digest_date, max(earlier.digest_date)::text as same_as_date
        from contents
        inner join earlier on
            earlier.digest_date < contents.digest_date
            and earlier.paper_ids = contents.paper_ids
        where contents.digest_count > 1
        group by contents.digest_date
    ),
    listed as (
        select
            listings.list_date,
            string_agg(listings.paper_id, ', ' order by listings.list_rank)
                filter (where papers.paper_id is null) as unknown_papers,
            string_agg(listings.paper_id, ', ' order by listings.list_rank)
                filter (where not listings.is_removed and ranked.paper_id is null)
                as omitted_papers
        from marts.listings
        semi join gate_digests as judged on listings.list_date = judged.list_date
        left join marts.papers on listings.paper_id = papers.paper_id
        left join ranked
            on listings.list_date = ranked.digest_date and listings.paper_id = ranked.paper_id
        group by listings.list_date
    )
    select
        judged.reading_id,
        judged.list_date::text as list_date,
        judged.read_at::text as read_at,
        coalesce(digests.last_read_at::text, 'no reading') as last_read_at,
        digests.verdict,
        digests.paper_count,
        judged.reading_count,
        coalesce(contents.digest_count, 0) as digest_count,
        case
            when digests.verdict = 'complete' or judged.reading_count > 0
                then coalesce(contents.digest_count, 0)
        end as sendable_count,
        contents.misplaced_ranks,
        listed.unknown_papers,
        listed.omitted_papers,
        repeats.same_as_date,
    from gate_digests as judged
    inner join marts.daily_digests as digests on judged.list_date = digests.digest_date
    left join contents on judged.list_date = contents.digest_date
    left join listed on judged.list_date = listed.list_date
    left join repeats on judged.list_date = repeats.digest_date
    order by judged.reading_id
"""

_DIGEST_PAPERS = """
    select
        judged.reading_id,
        digest_papers.digest_rank as position,
        digest_papers.paper_id,
        digest_papers.score,
        papers.title,
        papers.github_url,
        papers.project_url,
    from marts.daily_digest_papers as digest_papers
    inner join gate_digests as judged on digest_papers.digest_date = judged.list_date
    left join marts.papers on digest_papers.paper_id = papers.paper_id
    order by judged.reading_id, digest_papers.digest_rank
"""

# Fewer than this many expected, and their absence is chance.
_EXPECTED_AT_LEAST = 5


def raw_frames(
    connection: DuckDBPyConnection, load_id: str, optional_fields: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The items and the readings of a load that are judged, with what is usual before them."""
    connection.execute(_FACTS, {"load_id": load_id})
    usual = {field: f"shares.{field}_share * facts.fact_count" for field in optional_fields}
    readings = _READINGS.format(
        counts="\n".join(f"count_if(has_{f}) as {f}_count," for f in optional_fields),
        shares="\n".join(
            f"sum(facts.{f}_count) / sum(facts.fact_count) as {f}_share," for f in optional_fields
        ),
        ratios="\n".join(
            f"facts.{f}_count, {usual[f]} as {f}_usual, "
            f"case when {f}_usual >= {_EXPECTED_AT_LEAST} then {f}_count / {f}_usual end "
            f"as {f}_ratio,"
            for f in optional_fields
        ),
    )
    key = {"load_id": load_id}
    return frame_of(connection, _ITEMS, key), frame_of(connection, readings, key)


def shown_readings(connection: DuckDBPyConnection, load_id: str) -> dict[str, date]:
    """The readings of a load that a digest shows, with their list dates."""
    connection.execute(_DIGESTS_JUDGED, {"load_id": load_id})
    rows = connection.execute("select reading_id, list_date from gate_digests order by reading_id")
    return dict(rows.fetchall())


def marts_frames(connection: DuckDBPyConnection) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The digests of the readings that `shown_readings` found, and their papers."""
    return frame_of(connection, _DIGESTS), frame_of(connection, _DIGEST_PAPERS)


def frame_of(
    connection: DuckDBPyConnection, query: str, key: dict[str, str] | None = None
) -> pd.DataFrame:
    """What a query gives, through Arrow: DuckDB's own `.df()` uses what pandas 3.1 warns about."""
    frame: pd.DataFrame = connection.execute(query, key).to_arrow_table().to_pandas()
    return frame

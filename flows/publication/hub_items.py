"""The Hub's items as they were read: what its API answers, of any list and as of any reading.

published/papers.duckdb ──▶ HubList, HubItem
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from duckdb import DuckDBPyConnection

from flows.issues.periods import first_day
from flows.newsletter.digest import Edition
from flows.publication.lists import Known, known_day
from flows.warehouse.database import records

HubItem = dict[str, Any]


@dataclass(frozen=True)
class HubList:
    """The items of a list date in the Hub's order, and what is known of it: verdict and reading."""

    items: tuple[HubItem, ...]
    known: Known


def hub_day(
    connection: DuckDBPyConnection, day: date, as_of: datetime | None = None
) -> HubList | None:
    """The list of this date by its newest admitted reading, or by the newest until `as_of` (UTC).

    None where nothing is known of the date, or was by then.
    """
    known = known_day(connection, day, as_of)
    if known is None:
        return None
    items = _items(connection, _OF_DAY, {"day": day, "at": known.read_at})
    return HubList(items, known)


def hub_period(
    connection: DuckDBPyConnection, edition: Edition, last: date
) -> tuple[HubItem, ...] | None:
    """The papers of the week or month that ends on this date, each once, in its digest's order.

    None where no day of it was read.
    """
    (is_read,) = connection.execute(_IS_READ.format(edition=edition), {"last": last}).fetchall()[0]
    if not is_read:
        return None
    within = {"first": first_day(edition, last), "last": last}
    return _items(connection, _OF_PERIOD.format(edition=edition), within)


def hub_newest(
    connection: DuckDBPyConnection, skipped: int, most: int, submitter: str | None = None
) -> tuple[HubItem, ...]:
    """The papers that were submitted last, over the borders of lists; of one user, if named."""
    values = {"submitter": submitter, "skipped": skipped, "end": skipped + most}
    return _items(connection, _NEWEST, values)


def hub_papers(connection: DuckDBPyConnection, ids: Sequence[str]) -> tuple[HubItem, ...]:
    """The newest item of each of these papers, in the order of the ids; unknown ones left out."""
    return _items(connection, _OF_PAPERS, {"ids": list(ids)})


def hub_linked(connection: DuckDBPyConnection, paper_id: str) -> HubItem:
    """What the Hub said of a paper when it was last asked about it alone, in its names.

    Empty where it never was; without a kind of repository of which it said nothing.
    """
    found: HubItem = {}
    for row in records(connection, _LINKED, {"id": paper_id}):
        name = f"{row['repository_kind'].capitalize()}s"
        found[f"linked{name}"] = [json.loads(each) for each in row["repositories"]]
        found[f"numTotal{name}"] = row["repository_count"]
    return found


def hub_trending(connection: DuckDBPyConnection) -> tuple[HubItem, ...]:
    """What the Hub called trending when it was last asked, in its order.

    Of the papers that were on a list, those on one that was read. Where the Hub was never asked,
    what trends by our own rule.
    """
    order = connection.execute(_HUB_TRENDING).fetchall()
    ids = [row[0] for row in order or connection.execute(_TRENDING).fetchall()]
    known: dict[str, HubItem] = {paper_id: json.loads(item) for paper_id, item in order if item}
    for row in records(connection, _ITEMS.format(chosen=_OF_PAPERS), {"ids": ids}):
        known[row["paper_id"]] = _item(row)
    return tuple(known[paper_id] for paper_id in ids if paper_id in known)


def _items(
    connection: DuckDBPyConnection, chosen: str, values: dict[str, Any]
) -> tuple[HubItem, ...]:
    return tuple(_item(row) for row in records(connection, _ITEMS.format(chosen=chosen), values))


def _item(row: dict[str, Any]) -> HubItem:
    """The document with the numbers of its reading, each where the Hub has it."""
    item: HubItem = json.loads(row["document_json"])
    _put(item["paper"], "upvotes", row["upvotes_count"])
    _put(item["paper"], "githubStars", row["github_stars_count"])
    _put(item, "numComments", row["comments_count"])
    _put(item, "isAuthorParticipating", row["is_author_participating"])
    if "submittedBy" in item:
        _put(item["submittedBy"], "followerCount", row["submitter_followers_count"])
    return item


def _put(place: dict[str, Any], field: str, value: object) -> None:
    """What the Hub does not say is absent, never null; a number that is unread stays as it is."""
    if field in place and value is not None:
        place[field] = value


# `chosen` gives list_date, paper_id, read_at and the place of each. Documents are found by their
# keys first and read by their rows then: a join reads each that lies beside one that is asked for.
_ITEMS = """
    with

    chosen as materialized ({chosen}),

    found as materialized (
        select readings.*, chosen.place, documents.rowid as document_row
        from chosen
        inner join marts.paper_readings as readings using (list_date, paper_id, read_at)
        inner join marts.paper_documents as documents using (list_date, paper_id, document_id)
    )

    select found.*, documents.document_json
    from found
    inner join marts.paper_documents as documents on found.document_row = documents.rowid
    order by found.place
"""
_OF_DAY = """
    select list_date, paper_id, read_at, list_rank as place
    from marts.paper_readings
    where list_date = $day and read_at = $at
"""
_IS_READ = "select exists (from marts.{edition}_digests where digest_date = $last)"
_OF_PERIOD = """
    select
        listings.list_date,
        paper_id,
        listings.last_read_at as read_at,
        digest.digest_rank as place
    from marts.{edition}_digest_papers as digest
    inner join marts.listings as listings using (paper_id)
    where
        digest.digest_date = $last
        and listings.list_date between $first and $last
        and not listings.is_removed
    qualify
        row_number() over (
            partition by paper_id order by listings.last_read_at desc, listings.list_date desc
        ) = 1
"""
# The Hub orders by the time of submission; lists follow one another, so only the newest few need
# to be looked into.
# Before 2025-03-08 it is the outer `publishedAt` that says when a paper was submitted.
_NEWEST = """
    with

    listed as (
        select list_date, paper_id, last_read_at, list_rank
        from marts.listings
        where not is_removed and (submitted_by = $submitter or $submitter is null)
    ),

    dates as (
        select list_date from listed
        group by list_date
        qualify sum(count(*)) over (order by list_date desc) - count(*) < $end
    ),

    newest as materialized (
        select listed.* from listed inner join dates using (list_date)
    ),

    looked_into as materialized (
        select newest.*, documents.rowid as document_row
        from newest
        inner join marts.paper_readings as readings
            on
                newest.list_date = readings.list_date
                and newest.paper_id = readings.paper_id
                and newest.last_read_at = readings.read_at
        inner join marts.paper_documents as documents
            on
                readings.list_date = documents.list_date
                and readings.paper_id = documents.paper_id
                and readings.document_id = documents.document_id
    )

    select
        looked_into.list_date,
        looked_into.paper_id,
        looked_into.last_read_at as read_at,
        row_number() over (
            order by
                looked_into.list_date desc,
                coalesce(
                    json_extract_string(document_json, '$.paper.submittedOnDailyAt'),
                    case
                        when looked_into.list_date < date '2025-03-08'
                            then json_extract_string(document_json, '$.publishedAt')
                    end
                ) desc nulls last,
                looked_into.list_rank
        ) as place
    from looked_into
    inner join marts.paper_documents as documents on looked_into.document_row = documents.rowid
    qualify place > $skipped and place <= $end
"""
_OF_PAPERS = """
    select
        source_list_date as list_date, paper_id, last_read_at as read_at, asked.place
    from (select unnest($ids) as paper_id, generate_subscripts($ids, 1) as place) as asked
    inner join marts.papers using (paper_id)
"""
_LINKED = """
    with

    newest as (
        select
            models_count as model,
            datasets_count as dataset,
            spaces_count as space
        from marts.paper_links
        where paper_id = $id
        order by read_at desc
        limit 1
    ),

    counts as (
        from newest
        unpivot (repository_count for repository_kind in (model, dataset, space))
    ),

    shown as (
        select
            repository_kind,
            list(repository_json order by repository_rank) as repositories
        from marts.linked_repositories
        where paper_id = $id and repository_rank is not null
        group by repository_kind
    )

    select
        repository_kind,
        counts.repository_count,
        coalesce(shown.repositories, []) as repositories
    from counts
    left join shown using (repository_kind)
"""
_HUB_TRENDING = """
    select paper_id, unlisted_json from marts.hub_trending_papers
    where read_at = (select max(read_at) from marts.hub_trending_papers)
    order by hub_rank
"""
_TRENDING = """
    select paper_id from marts.trending_papers
    where as_of_date = (select max(as_of_date) from marts.trending_papers)
    order by trending_rank
"""

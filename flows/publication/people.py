"""The papers of an organization, an author, a keyword or a submitter, with its figures."""

from dataclasses import dataclass
from typing import Literal

from duckdb import DuckDBPyConnection

from flows.publication.cards import Card, cards

Kind = Literal["organizations", "authors", "keywords", "submitters"]
KINDS: tuple[Kind, ...] = ("organizations", "authors", "keywords", "submitters")
PAGE_LENGTH = 50


@dataclass(frozen=True)
class Collected:
    """One page of the papers that have something in common, the newest first.

    `name` is what it is called where that differs from the address; `paper_count` counts all pages.
    """

    kind: Kind
    name: str
    cards: tuple[Card, ...]
    paper_count: int
    upvotes_total: int


def collected(
    connection: DuckDBPyConnection, kind: Kind, handle: str, page: int = 0
) -> Collected | None:
    """The papers behind this address, or None where no paper has it; `page` from 0.

    Who submitted only what was taken off its list again is known, with no paper.
    """
    values = {"handle": handle}
    totals = connection.execute(_TOTALS.format(papers=_PAPERS[kind]), values).fetchall()[0]
    name, paper_count, upvotes_total = totals
    if not paper_count and not (kind == "submitters" and _has_submitted(connection, handle)):
        return None
    within = values | {"skipped": page * PAGE_LENGTH, "most": PAGE_LENGTH}
    found = cards(connection, _PAGE.format(papers=_PAPERS[kind]), within)
    return Collected(kind, name or handle, found, paper_count, upvotes_total)


def _has_submitted(connection: DuckDBPyConnection, name: str) -> bool:
    asked = "select 1 from marts.submitters where submitted_by = ?"
    return connection.execute(asked, [name]).fetchone() is not None


def handles(connection: DuckDBPyConnection, kind: Kind, fewest: int) -> dict[str, int]:
    """What links to pages of this kind name, with the number of papers, where it is so many."""
    rows = connection.execute(_HANDLES[kind], {"fewest": fewest}).fetchall()
    return dict(rows)


# Each: paper_id and the name that a reader knows it by.
_PAPERS: dict[Kind, str] = {
    "organizations": """
        select paper_id, organizations.organization_name as name
        from marts.papers
        inner join marts.organizations as organizations using (organization_id)
        where organization_id in (
            select organization_id from marts.papers
            where
                lower($handle)
                in (organization_id, lower(organization_handle), lower(organization_name))
        )
    """,
    "authors": """
        select paper_id, author_name as name from marts.paper_authors
        where hub_user = $handle and not is_hidden
        union all
        select paper_id, name from search.paper_names
        where kind = 'author' and lower_name = lower($handle)
    """,
    "keywords": """
        select paper_id, lower_name as name from search.paper_names
        where kind = 'keyword' and lower_name = lower($handle)
    """,
    "submitters": """
        select paper_id, submitted_by as name
        from marts.listings
        where submitted_by = $handle and not is_removed
    """,
}
_TOTALS = """
    select mode(name), count(distinct paper_id), coalesce(sum(upvotes_count), 0)::bigint
    from (select paper_id, any_value(name) as name from ({papers}) group by paper_id)
    inner join marts.papers using (paper_id)
"""
_PAGE = """
    select
        paper_id,
        row_number() over (order by last_listed_on desc, upvotes_count desc, paper_id) as rank,
        papers.upvotes_count
    from (select distinct paper_id from ({papers}))
    inner join marts.papers as papers using (paper_id)
    order by rank
    limit $most offset $skipped
"""
# Each: the handle as links have it, and the number of papers that `collected` finds for it.
_HANDLES: dict[Kind, str] = {
    "organizations": """
        select papers.organization_name, any_value(organizations.paper_count) as paper_count
        from marts.papers as papers
        inner join marts.organizations as organizations using (organization_id)
        where papers.organization_name is not null
        group by papers.organization_name
        having any_value(organizations.paper_count) >= $fewest
        order by papers.organization_name
    """,
    "authors": """
        with handles as (
            select distinct coalesce(hub_user, author_name) as handle
            from marts.paper_authors
            where not is_hidden
        )
        select handle, count(distinct paper_id) as paper_count
        from (
            select handles.handle, authors.paper_id
            from handles
            inner join marts.paper_authors as authors on handles.handle = authors.hub_user
            where not authors.is_hidden
            union all
            select handles.handle, names.paper_id
            from handles
            inner join search.paper_names as names on lower(handles.handle) = names.lower_name
            where names.kind = 'author'
        )
        group by handle
        having count(distinct paper_id) >= $fewest
        order by handle
    """,
    "keywords": """
        with counts as (
            select lower_name, count(distinct paper_id) as paper_count
            from search.paper_names
            where kind = 'keyword'
            group by lower_name
            having count(distinct paper_id) >= $fewest
        )
        select distinct names.name, counts.paper_count
        from search.paper_names as names
        inner join counts using (lower_name)
        where names.kind = 'keyword'
        order by names.name
    """,
    "submitters": """
        select submitted_by, count(distinct paper_id) as paper_count
        from marts.listings
        where submitted_by is not null and not is_removed
        group by submitted_by
        having count(distinct paper_id) >= $fewest
        order by submitted_by
    """,
}

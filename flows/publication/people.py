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
    """The papers behind this address, or None where no paper has it; `page` from 0."""
    values = {"handle": handle}
    totals = connection.execute(_TOTALS.format(papers=_PAPERS[kind]), values).fetchall()[0]
    name, paper_count, upvotes_total = totals
    if not paper_count:
        return None
    within = values | {"skipped": page * PAGE_LENGTH, "most": PAGE_LENGTH}
    found = cards(connection, _PAGE.format(papers=_PAPERS[kind]), within)
    return Collected(kind, name, found, paper_count, upvotes_total)


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
        select paper_id, submitted_by as name from marts.listings where submitted_by = $handle
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

"""A paper as a page or an export shows it, and the lists that such cards stand in.

published/papers.duckdb ──▶ PaperList: a heading's facts, and its cards in order
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from duckdb import DuckDBPyConnection

from flows.warehouse.database import records


@dataclass(frozen=True)
class Vote:
    """The votes of a paper at one reading (UTC)."""

    read_at: datetime
    upvotes_count: int


@dataclass(frozen=True)
class Card:
    """A paper in a list: its place there, its numbers as the list shows them, its text.

    `rank` is the place in the list, from 1; `why_here` one phrase, or None. `votes` are those
    of the list's readings, the oldest first; none where the list is made of many days.
    """

    rank: int
    paper_id: str
    title: str
    abstract: str
    ai_summary: str | None
    organization_name: str | None
    author_names: tuple[str, ...]
    author_count: int
    published_on: date | None
    first_listed_on: date
    last_listed_on: date
    last_read_at: datetime
    upvotes_count: int
    comments_count: int
    github_url: str | None
    github_stars_count: int | None
    project_url: str | None
    submitted_by: str | None
    why_here: str | None
    is_withdrawn: bool
    votes: tuple[Vote, ...] = ()


@dataclass(frozen=True)
class PaperList:
    """A list of papers with what is known of it as a whole.

    `verdict` and `reason` are those of its date or period, None for a list that has none (what
    trends, what an organization published). `read_at` is when its newest reading was made (UTC).
    """

    cards: tuple[Card, ...]
    verdict: str | None = None
    reason: str | None = None
    read_at: datetime | None = None


def cards(connection: DuckDBPyConnection, query: str, values: object) -> tuple[Card, ...]:
    """The cards of the papers that a query names, in its order.

    `query` gives paper_id and rank, and may give upvotes_count, comments_count, submitted_by,
    why_here and votes of its own, which then stand before those of the paper.
    """
    rows = records(connection, _CARDS.format(query=query), values)
    return tuple(_card(row) for row in rows)


def _card(row: dict[str, Any]) -> Card:
    votes = tuple(Vote(**vote) for vote in row.pop("votes") or ())
    return Card(**row | {"author_names": tuple(row["author_names"] or ()), "votes": votes})


_CARDS = """
    with

    listed as materialized (
        select
            null::bigint as upvotes_count,
            null::bigint as comments_count,
            null::text as submitted_by,
            null::text as why_here,
            null::struct(read_at timestamptz, upvotes_count bigint)[] as votes,
            null::text as paper_id,
            null::bigint as rank
        where false
        union all by name
        ({query})
    )

    select
        listed.rank,
        papers.paper_id,
        papers.title,
        papers.abstract,
        papers.ai_summary,
        papers.organization_name,
        papers.author_names,
        papers.author_count,
        papers.published_on,
        papers.first_listed_on,
        papers.last_listed_on,
        papers.last_read_at,
        coalesce(listed.upvotes_count, papers.upvotes_count) as upvotes_count,
        coalesce(listed.comments_count, papers.comments_count) as comments_count,
        papers.github_url,
        papers.github_stars_count,
        papers.project_url,
        coalesce(listed.submitted_by, papers.submitted_by) as submitted_by,
        listed.why_here,
        papers.is_withdrawn,
        listed.votes
    from listed
    inner join marts.papers as papers using (paper_id)
    order by listed.rank, papers.paper_id
"""

"""All that is kept of one paper: its text, people, lists, votes over time, changes and issues."""

from dataclasses import dataclass
from datetime import date, datetime

from duckdb import DuckDBPyConnection

from flows.publication.cards import Card, Vote, cards
from flows.publication.likeness import nearest
from flows.warehouse.database import records


@dataclass(frozen=True)
class Author:
    """An author as the paper names them; `hub_user` where the Hub knows who it is."""

    author_name: str
    hub_user: str | None


@dataclass(frozen=True)
class Listed:
    """A list that the paper was on, with its place and votes when that list was last read."""

    list_date: date
    list_rank: int | None
    upvotes_count: int
    is_removed: bool


@dataclass(frozen=True)
class Change:
    """What changed between two readings (UTC)."""

    field: str
    old_value: str | None
    new_value: str | None
    read_at: datetime


@dataclass(frozen=True)
class Carried:
    """An issue that carried the paper: its place there, and in which section."""

    issue_date: date
    edition: str
    section: str
    issue_rank: int


@dataclass(frozen=True)
class PaperPage:
    """One paper and its history. `alike` are papers that share its words, the nearest first."""

    card: Card
    keywords: tuple[str, ...]
    withdrawn_at: datetime | None
    authors: tuple[Author, ...]
    listed: tuple[Listed, ...]
    votes: tuple[Vote, ...]
    changes: tuple[Change, ...]
    issues: tuple[Carried, ...]
    alike: tuple[tuple[Card, str], ...]


def paper_page(connection: DuckDBPyConnection, paper_id: str) -> PaperPage | None:
    """The paper with this id, or None where it was never on a list that was let through."""
    values = {"id": paper_id}
    found = cards(connection, "select $id::text as paper_id, 1 as rank", values)
    if not found:
        return None
    (keywords, withdrawn_at) = connection.execute(_MORE, values).fetchall()[0]
    return PaperPage(
        found[0],
        tuple(keywords or ()),
        withdrawn_at,
        tuple(Author(**row) for row in records(connection, _AUTHORS, values)),
        tuple(Listed(**row) for row in records(connection, _LISTED, values)),
        tuple(Vote(**row) for row in records(connection, _VOTES, values)),
        tuple(Change(**row) for row in records(connection, _CHANGES, values)),
        tuple(Carried(**row) for row in records(connection, _ISSUES, values)),
        _alike(connection, paper_id),
    )


def title_of(connection: DuckDBPyConnection, paper_id: str) -> str | None:
    """The title of the paper with this id; None where it was never on a list."""
    row = connection.execute(_TITLE, {"id": paper_id}).fetchone()
    return row[0] if row else None


def _alike(connection: DuckDBPyConnection, paper_id: str) -> tuple[tuple[Card, str], ...]:
    """Up to six papers nearest to this one, each with why."""
    why = nearest(connection, paper_id)
    near = cards(
        connection,
        "select unnest($ids) as paper_id, generate_subscripts($ids, 1) as rank",
        {"ids": list(why)},
    )
    return tuple((card, why[card.paper_id]) for card in near)


_TITLE = "select title from marts.papers where paper_id = $id"
_MORE = "select ai_keywords, withdrawn_at from marts.papers where paper_id = $id"
_AUTHORS = """
    select author_name, hub_user
    from marts.paper_authors
    where paper_id = $id and not is_hidden
    order by author_position
"""
_LISTED = """
    select list_date, list_rank, upvotes_count, is_removed
    from marts.listings
    where paper_id = $id
    order by list_date
"""
_VOTES = """
    select read_at, max(upvotes_count) as upvotes_count
    from marts.paper_readings
    where paper_id = $id
    group by read_at
    order by read_at
"""
_CHANGES = """
    select field, old_value, new_value, read_at
    from marts.paper_changes
    where paper_id = $id
    order by read_at, field
"""
_ISSUES = """
    select issue_date, edition, section, issue_rank
    from marts.issue_as_sent
    where paper_id = $id
    order by issue_date, edition, section
"""

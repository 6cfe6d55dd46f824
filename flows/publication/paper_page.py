"""All that is kept of one paper: its text, people, lists, votes over time, changes and issues."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from duckdb import DuckDBPyConnection

from flows.publication.cards import Card, Vote, cards
from flows.publication.likeness import Vectors, nearest
from flows.publication.near import Meanings
from flows.warehouse.database import records
from flows.wording import counted, enumerated


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
class Links:
    """How many repositories of each kind the Hub counted at a time (UTC); None: it did not say."""

    read_at: datetime
    models_count: int | None
    datasets_count: int | None
    spaces_count: int | None
    venue: str | None

    @property
    def counts(self) -> str:
        """The counts in words; "" where there is nothing."""
        said = {
            "model": self.models_count, "dataset": self.datasets_count, "Space": self.spaces_count
        }  # fmt: skip
        return enumerated([counted(count, noun) for noun, count in said.items() if count])


@dataclass(frozen=True)
class Repository:
    """A model, dataset or Space that names the paper, as last shown (UTC)."""

    repository_kind: str
    repository_id: str
    repository_url: str
    likes_count: int | None
    is_gone: bool
    first_read_at: datetime


@dataclass(frozen=True)
class PaperPage:
    """One paper and its history.

    `links` are the Hub's counts of what is linked with it, the oldest first; `alike` are papers
    that share its words, the nearest first.
    """

    card: Card
    keywords: tuple[str, ...]
    withdrawn_at: datetime | None
    authors: tuple[Author, ...]
    listed: tuple[Listed, ...]
    votes: tuple[Vote, ...]
    changes: tuple[Change, ...]
    issues: tuple[Carried, ...]
    links: tuple[Links, ...]
    repositories: tuple[Repository, ...]
    alike: tuple[tuple[Card, str], ...]


def paper_page(
    connection: DuckDBPyConnection, paper_id: str, vectors: Meanings | None = None
) -> PaperPage | None:
    """The paper with this id, or None where it was never on a list that was let through."""
    return paper_pages(connection, [paper_id], vectors).get(paper_id)


def paper_pages(
    connection: DuckDBPyConnection,
    paper_ids: Sequence[str],
    vectors: Vectors | Meanings | None = None,
) -> Mapping[str, PaperPage]:
    """The papers with these ids by id, without those that were on no list; one query a part.

    Who asks for thousands hands the vectors of all papers over.
    """
    values = {"ids": list(paper_ids)}
    found = cards(connection, _ASKED, values)
    more = {row[0]: row[1:] for row in connection.execute(_MORE, values).fetchall()}
    parts = {
        name: _by_paper(connection, query, kind, values) for name, (query, kind) in _PARTS.items()
    }
    alike = _alike(connection, paper_ids, vectors)
    return {
        card.paper_id: PaperPage(
            card,
            tuple(more[card.paper_id][0] or ()),
            more[card.paper_id][1],
            alike=tuple(alike.get(card.paper_id, ())),
            **{name: tuple(part.get(card.paper_id, ())) for name, part in parts.items()},
        )
        for card in found
    }


def _by_paper(
    connection: DuckDBPyConnection, query: str, kind: Callable[..., Any], values: object
) -> Mapping[str, list[Any]]:
    found = defaultdict[str, list[Any]](list)
    for row in records(connection, query, values):
        found[row.pop("paper_id")].append(kind(**row))
    return found


def paper_card(connection: DuckDBPyConnection, paper_id: str) -> Card | None:
    """The paper with this id as lists show it; None where it was never on one."""
    return next(iter(cards(connection, _ASKED, {"ids": [paper_id]})), None)


def title_of(connection: DuckDBPyConnection, paper_id: str) -> str | None:
    """The title of the paper with this id; None where it was never on a list."""
    row = connection.execute(_TITLE, {"id": paper_id}).fetchone()
    return row[0] if row else None


def _alike(
    connection: DuckDBPyConnection, paper_ids: Sequence[str], vectors: Vectors | Meanings | None
) -> Mapping[str, list[tuple[Card, str]]]:
    """Up to six papers nearest to each of these, the nearest first, each with why."""
    why = nearest(connection, paper_ids, vectors)
    ids = sorted({other for others in why.values() for other in others})
    known = {card.paper_id: card for card in cards(connection, _ASKED, {"ids": ids})}
    return {
        paper_id: [(known[other], said) for other, said in others.items()]
        for paper_id, others in why.items()
    }


_ASKED = "select unnest($ids::text[]) as paper_id, 1 as rank"
_TITLE = "select title from marts.papers where paper_id = $id"
_OF_THESE = "paper_id in (select unnest($ids::text[]))"
_MORE = f"select paper_id, ai_keywords, withdrawn_at from marts.papers where {_OF_THESE}"
_AUTHORS = f"""
    select paper_id, author_name, hub_user
    from marts.paper_authors
    where {_OF_THESE} and not is_hidden
    order by paper_id, author_position
"""
_LISTED = f"""
    select paper_id, list_date, list_rank, upvotes_count, is_removed
    from marts.listings
    where {_OF_THESE}
    order by paper_id, list_date
"""
_VOTES = f"""
    select paper_id, read_at, max(upvotes_count) as upvotes_count
    from marts.paper_readings
    where {_OF_THESE}
    group by paper_id, read_at
    order by paper_id, read_at
"""
_CHANGES = f"""
    select paper_id, field, old_value, new_value, read_at
    from marts.paper_changes
    where {_OF_THESE}
    order by paper_id, read_at, field
"""
_ISSUES = f"""
    select paper_id, issue_date, edition, section, issue_rank
    from marts.issue_as_sent
    where {_OF_THESE}
    order by paper_id, issue_date, edition, section
"""
_LINKS = f"""
    select paper_id, read_at, models_count, datasets_count, spaces_count, venue
    from marts.paper_links
    where {_OF_THESE}
    order by paper_id, read_at
"""
_REPOSITORIES = f"""
    select
        paper_id, repository_kind, repository_id, repository_url, likes_count, is_gone,
        first_read_at
    from marts.linked_repositories
    where {_OF_THESE}
    order by
        paper_id, is_gone, list_position(['model', 'dataset', 'space'], repository_kind),
        likes_count desc nulls last, repository_id
"""
_PARTS: Mapping[str, tuple[str, Callable[..., Any]]] = {
    "authors": (_AUTHORS, Author),
    "listed": (_LISTED, Listed),
    "votes": (_VOTES, Vote),
    "changes": (_CHANGES, Change),
    "issues": (_ISSUES, Carried),
    "links": (_LINKS, Links),
    "repositories": (_REPOSITORIES, Repository),
}

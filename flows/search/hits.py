"""What a question found: ranked papers without their texts, and those of a page as hits to read.

rank ──▶ Found ──shown──▶ Hit, Hit, …
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from duckdb import DuckDBPyConnection

from flows.warehouse.database import records

# Between them stands a hit. Text from the Hub has no control characters: staging takes them out.
_START, _END = "\x02", "\x03"


@dataclass(frozen=True)
class Ranked:
    """A paper that was found, in few words; `paper_row` is where its text is read."""

    search_rank: int
    paper_id: str
    score: float
    last_listed_on: date
    upvotes_count: int
    paper_row: int


@dataclass(frozen=True)
class Found:
    """The papers that were found, the best first, and the words in them that matched."""

    papers: tuple[Ranked, ...]
    hit_words: tuple[str, ...]


@dataclass(frozen=True)
class Piece:
    """A part of a snippet, and whether it is a word that was looked for."""

    text: str
    is_hit: bool


@dataclass(frozen=True)
class Hit:
    """A paper that was found; the best has rank 1 and the highest score. Its text is the Hub's.

    The fields are the columns of `search_papers(…)`, in their order.
    """

    search_rank: int
    paper_id: str
    score: float
    title: str
    snippet: tuple[Piece, ...]
    organization_name: str | None
    author_names: tuple[str, ...]
    last_listed_on: date
    upvotes_count: int
    github_url: str | None
    project_url: str | None


def shown(
    connection: DuckDBPyConnection, found: Found, papers: Sequence[Ranked]
) -> tuple[Hit, ...]:
    """Some of the papers that were found, in this order, with what a reader is shown of them."""
    values = {
        "rows": [paper.paper_row for paper in papers],
        "hit_words": list(found.hit_words),
        "start": _START,
        "end": _END,
    }
    rows = {row["paper_id"]: row for row in records(connection, _SHOWN, values)}
    return tuple(
        Hit(paper.search_rank, score=paper.score, **_text(rows[paper.paper_id])) for paper in papers
    )


def _text(row: dict[str, Any]) -> dict[str, Any]:
    return row | {
        "snippet": _pieces(row["snippet"] or ""),
        "author_names": tuple(row["author_names"]),
    }


def _pieces(marked: str) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    for part in marked.split(_START):
        hit, end, rest = part.partition(_END)
        pieces += (
            [Piece(hit, is_hit=True), Piece(rest, is_hit=False)]
            if end
            else [Piece(hit, is_hit=False)]
        )
    return tuple(piece for piece in pieces if piece.text)


_COLUMNS = [
    each.name for each in fields(Hit) if each.name not in {"search_rank", "score", "snippet"}
]
_SHOWN = f"""
    select
        {", ".join(f"papers.{name}" for name in _COLUMNS)},
        search.snippet_of(papers.ai_summary, papers.abstract, $hit_words::text[], $start, $end)
            as snippet
    from marts.papers as papers
    where papers.rowid in (select unnest($rows::bigint[]))
"""

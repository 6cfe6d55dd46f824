"""The six tools of an agent, each one read-only look into the published file.

published/papers.duckdb ──▶ an answer as plain JSON values, with its list date and reading time
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection

from flows import clock
from flows.errors import OperationError, UsageError
from flows.newsletter.text import excerpt
from flows.publication.cards import Card
from flows.publication.lists import (
    NOTHING_TRENDS,
    OF_NOW,
    day_list,
    newest_list_date,
    trending_list,
)
from flows.publication.paper_page import paper_page
from flows.publication.query import QueryError, plain, published
from flows.search.find import Question, find
from flows.search.meaning import SentenceModel
from flows.sources.feed_day import is_weekend
from flows.sources.hub_item import canonical_id
from flows.warehouse.database import records
from flows.warehouse.restore import parse_time

SQL_SECONDS = 10.0
MOST_ROWS = 500
_MOST_CHARACTERS = 100_000  # of an answer in SQL: more than a model reads
_ABSTRACT_LENGTH = 600
# Functions and views of DuckDB that give paths and settings of the machine, or ask for a text.
_ABOUT_THE_MACHINE = {
    "current_setting",
    "duckdb_approx_database_count",
    "duckdb_databases",
    "duckdb_extensions",
    "duckdb_log_contexts",
    "duckdb_logs",
    "duckdb_secrets",
    "duckdb_settings",
    "duckdb_temporary_files",
    "enable_logging",
    "getenv",
    "json_execute_serialized_sql",
    "pg_settings",
    "pragma_database_list",
    "pragma_database_size",
    "pragma_storage_info",
    "query",
    "query_table",
    "which_secret",
}
_NAME = re.compile(r'"(?:function|table)_name":"([^"]*)"')

Answer = dict[str, Any]


class UnknownError(UsageError):
    """What was asked about is not in the published file; the message says what is."""


class SlowQueryError(OperationError):
    """The query was stopped at its time limit."""


@dataclass(frozen=True)
class Tools:
    """The tools over the publication at this path; each call reads the newest one.

    All raise NotPublishedError before there is a publication.
    """

    path: Path
    model: SentenceModel | None = None
    sql_seconds: float = SQL_SECONDS

    def list_day(self, day: str | None, as_of: str | None, most: int, skip: int) -> Answer:
        """The papers of a list date (default: the newest) in the list's order, and its verdict.

        Raises:
            UnknownError: the list was never read, or not until `as_of`.
            UsageError: the date or the time is none.
        """
        at = parse_time(as_of, clock.utc_now()) if as_of else None
        with self._look() as connection:
            wanted = parse_date(day) if day else newest_list_date(connection)
            found = day_list(connection, wanted, at) if wanted else None
        if wanted is None or found is None:
            raise UnknownError(_nothing_of(wanted, at))
        papers = found.papers
        reading = {"list_date": wanted, "read_at": papers.read_at}
        return {
            **reading,
            "verdict": papers.verdict,
            "reason": papers.reason,
            **({"note": OF_NOW} if at else {}),
            "paper_count": len(papers.cards),
            "papers": [_in_list(card) | reading for card in papers.cards[skip : skip + most]],
        }

    def search_papers(self, question: Question) -> Answer:
        """The papers that are about something, the best first, over all list dates.

        Raises:
            QuestionError: the text has no word that tells papers apart.
        """
        with self._look() as connection:
            hits = find(connection, question, self.model)
            read_at = _read_at(connection, [hit.paper_id for hit in hits])
            newest = _newest(connection)
        papers = [
            {
                "search_rank": hit.search_rank,
                "paper_id": hit.paper_id,
                "title": hit.title,
                "snippet": "".join(piece.text for piece in hit.snippet),
                "organization_name": hit.organization_name,
                "author_names": hit.author_names,
                "upvotes_count": hit.upvotes_count,
                "github_url": hit.github_url,
                "list_date": hit.last_listed_on,
                "read_at": read_at.get(hit.paper_id),
            }
            for hit in hits
        ]
        return newest | {"paper_count": len(papers), "papers": papers}

    def paper(self, paper_id: str) -> Answer:
        """All that is kept of one paper: text, authors, lists, changes, issues, what is linked.

        Raises:
            UnknownError: it was on no list.
        """
        with self._look() as connection:
            found = paper_page(connection, canonical_id(paper_id))
        if found is None:
            raise UnknownError(_never_listed(paper_id))
        card = asdict(found.card)
        del card["rank"], card["votes"], card["why_here"]
        return {
            "list_date": found.card.last_listed_on,
            "read_at": found.card.last_read_at,
            **card,
            "keywords": found.keywords,
            "withdrawn_at": found.withdrawn_at,
            "authors": [asdict(author) for author in found.authors],
            "lists": [asdict(listed) for listed in found.listed],
            "changes": [asdict(change) for change in found.changes],
            "issues": [asdict(issue) for issue in found.issues],
            "links": [asdict(links) for links in found.links],
            "repositories": [asdict(repository) for repository in found.repositories],
            "alike": [
                {"paper_id": card.paper_id, "title": card.title, "because": why}
                for card, why in found.alike
            ],
        }

    def momentum(self, paper_id: str) -> Answer:
        """The votes of a paper at each reading, and what it gained in 24 h, 72 h and 7 days.

        Raises:
            UnknownError: it was on no list.
        """
        with self._look() as connection:
            readings = records(connection, _MOMENTUM, {"id": canonical_id(paper_id)})
        if not readings:
            raise UnknownError(_never_listed(paper_id))
        newest = readings[-1]
        return {
            "paper_id": canonical_id(paper_id),
            "list_date": newest["list_date"],
            "read_at": newest["read_at"],
            "upvotes_count": newest["upvotes_count"],
            "readings": readings,
        }

    def trending(self, most: int) -> Answer:
        """What trends on the newest date, by the rule of marts.trending_papers."""
        with self._look() as connection:
            found = trending_list(connection)
            newest = _newest(connection)
        if found is None:
            raise UnknownError(NOTHING_TRENDS)
        day, papers = found
        return newest | {
            "list_date": day,
            "papers": [_in_list(card) for card in papers.cards[:most]],
        }

    def query_sql(self, query: str) -> Answer:
        """What one SELECT over the published tables answers: at most MOST_ROWS rows.

        Raises:
            QueryError: DuckDB does not take it, or it is no query.
            SlowQueryError: it took longer than `sql_seconds`.
        """
        with self._look() as connection:
            newest = _newest(connection)
            names, rows = _asked(connection, query, self.sql_seconds)
        kept: list[list[object]] = []
        length = 0
        for row in rows[:MOST_ROWS]:
            length += sum(len(str(value)) for value in row)
            if length > _MOST_CHARACTERS:
                break
            kept.append([_plain(value) for value in row])
        return newest | {"columns": names, "rows": kept, "is_cut": len(kept) < len(rows)}

    @contextmanager
    def _look(self) -> Iterator[DuckDBPyConnection]:
        with published(self.path) as connection:
            # Otherwise a query could raise its own memory limit.
            connection.execute("set memory_limit = '1GB'; set lock_configuration = true")
            yield connection


def _asked(
    connection: DuckDBPyConnection, query: str, seconds: float
) -> tuple[list[str], list[tuple[object, ...]]]:
    """The columns and the first rows of an answer, one more than MOST_ROWS where there are more."""
    try:
        _check(connection, query)
        timer = threading.Timer(seconds, connection.interrupt)
        timer.start()
        try:
            result = connection.execute(query)
            names = [column[0] for column in result.description or ()]
            return names, result.fetchmany(MOST_ROWS + 1)
        finally:
            timer.cancel()
    except duckdb.InterruptException:
        raise SlowQueryError(
            f"The query was stopped after {seconds:.0f} seconds; ask for less, such as fewer dates."
        ) from None
    except duckdb.Error as error:
        raise QueryError(f"DuckDB does not take this query. {error}") from None


def _check(connection: DuckDBPyConnection, query: str) -> None:
    """Make sure that this is one SELECT about tables. Raises QueryError, duckdb.Error."""
    (parsed,) = connection.execute("select json_serialize_sql(?)", [query]).fetchone() or ("{}",)
    statements = json.loads(parsed)
    if statements.get("error_type") == "parser":
        connection.extract_statements(query)  # raises with the place of the mistake
    if statements["error"] or len(statements["statements"]) != 1:
        raise QueryError("Ask one SELECT; nothing else is answered here.")
    asked = set(_NAME.findall(parsed.lower()))
    if told := sorted(asked & _ABOUT_THE_MACHINE):
        raise QueryError(f"{told[0]} can tell about this machine, and is not answered here.")


def _newest(connection: DuckDBPyConnection) -> Answer:
    """How new the publication is: its newest list date, and when that was read (UTC)."""
    (found,) = records(connection, _NEWEST_READING, {})
    return found


def _read_at(connection: DuckDBPyConnection, paper_ids: list[str]) -> dict[str, datetime]:
    return dict(connection.execute(_READ_AT, [paper_ids]).fetchall())


def _in_list(card: Card) -> Answer:
    return {
        "rank": card.rank,
        "paper_id": card.paper_id,
        "title": card.title,
        "summary": card.ai_summary or excerpt(card.abstract, _ABSTRACT_LENGTH),
        "organization_name": card.organization_name,
        "author_names": card.author_names,
        "upvotes_count": card.upvotes_count,
        "comments_count": card.comments_count,
        "github_url": card.github_url,
        "why_here": card.why_here,
        "is_withdrawn": card.is_withdrawn,
        "list_date": card.last_listed_on,
        "read_at": card.last_read_at,
    }


def parse_date(words: str) -> date:
    """The date in these words. Raises UsageError."""
    try:
        return date.fromisoformat(words.strip())
    except ValueError:
        raise UsageError(f"“{words[:40]}” is no date; write it as 2026-08-20.") from None


def _nothing_of(day: date | None, as_of: datetime | None) -> str:
    if day is None:
        return "No list is published yet; `papers run` publishes one."
    if as_of is not None:
        return f"Nothing was known of the list of {day} at {as_of:%Y-%m-%d %H:%M} UTC."
    weekend = f"; {day:%A}s have no list" if is_weekend(day) else ""
    return f"The list of {day} was never read{weekend}."


def _never_listed(paper_id: str) -> str:
    return f"{paper_id[:40]} was on no list that was read; search_papers finds the ids there are."


def _plain(value: object) -> object:
    """A value as JSON has it; what JSON has no form for as its text."""
    return plain(value) if isinstance(value, bool | int | float | str | None) else str(value)


_NEWEST_READING = """
    select
        max(list_date) as list_date,
        max(read_at) as read_at
    from marts.list_readings
    where is_admitted and kind = 'daily'
"""
_READ_AT = """
    select
        paper_id,
        last_read_at
    from marts.papers
    where list_contains(?, paper_id)
"""
_MOMENTUM = """
    select
        list_date,
        read_at,
        upvotes_count,
        votes_gained_count,
        votes_gained_24h_count,
        votes_gained_72h_count,
        votes_gained_7d_count
    from marts.paper_momentum
    where paper_id = $id
    order by read_at
"""

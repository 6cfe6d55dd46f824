"""The questions of the insights page: each is a file of SQL beside this one, and how to draw it.

published/papers.duckdb ──answered──▶ Answer ──plots──▶ SVG, ──to_csv──▶ CSV
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from duckdb import DuckDBPyConnection

from flows.warehouse.database import records

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Measure:
    """A column that is drawn: what it is in words, and its unit after a number."""

    column: str
    words: str
    unit: str = ""


@dataclass(frozen=True)
class Question:
    """One plot: its SQL is `<name>.sql`, whose first column labels a row.

    `drawn_as`: a bar a row of one measure, which may be negative; or a line a measure.
    `said` puts the rows, of which there is one at least, into a sentence; `needs` says what is
    wanted where there is none.
    """

    name: str
    title: str
    drawn_as: Literal["bars", "lines"]
    measures: tuple[Measure, ...]
    said: Callable[[Sequence[Row]], str]
    needs: str

    @property
    def sql(self) -> str:
        """The query, as any DuckDB answers it over the published file."""
        return _sql(self.name)


@dataclass(frozen=True)
class Answer:
    """What a question found, in the order of its query."""

    question: Question
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def sentence(self) -> str:
        """What the plot shows, or why there is none yet."""
        return self.question.said(self.rows) if self.rows else f"Nothing yet: {self.question.needs}"

    def to_csv(self) -> str:
        """The rows as CSV, with a header line."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return text.getvalue()


def written(value: Any) -> str:  # noqa: ANN401  a row holds whatever its query gives
    """A value as the page shows it: `1,204`, `45.3`, a dash where nothing is known."""
    if value is None:
        return "\u2013"
    if isinstance(value, int | float | Decimal):
        return f"{value:,}".removesuffix(".0")
    return str(value)


def answered(connection: DuckDBPyConnection, question: Question) -> Answer:
    """What the published file says to a question; the connection reads times in UTC."""
    rows = records(connection, question.sql)
    return Answer(question, tuple(row[0] for row in connection.description or ()), tuple(rows))


@cache
def _sql(name: str) -> str:
    return (files(__package__) / f"{name}.sql").read_text(encoding="utf-8")


def _weekdays(rows: Sequence[Row]) -> str:
    most = max(rows, key=lambda row: row["papers_mean"])
    least = min(rows, key=lambda row: row["papers_mean"])
    lists = sum(row["list_count"] for row in rows)
    return (
        f"A {most['weekday']} brings {written(most['papers_mean'])} papers on average,"
        f" a {least['weekday']} {written(least['papers_mean'])}; of {lists:,} complete lists."
    )


def _growth(rows: Sequence[Row]) -> str:
    half = _first(rows, "hour", "papers_pct")
    return (
        f"Half of a list is there at hour {half} of its date, in UTC, at the latest."
        if half is not None
        else "No reading had half of its list before it closed."
    )


def _half_life(rows: Sequence[Row]) -> str:
    half = _first(rows, "until_hour", "votes_pct")
    if half is None:
        return "Half of the votes come later than the readings that are kept."
    return f"Half of the votes that a paper has a week after its list are there by hour {half}."


def _first(rows: Sequence[Row], label: str, measure: str) -> int | None:
    """The label of the first row from which on at least half is there."""
    found = [row[label] for row in rows if row[measure] >= 50]
    return found[0] if found else None


def _keywords(rows: Sequence[Row]) -> str:
    first, last = rows[0], rows[-1]
    said = []
    if first["change_points"] > 0:
        said.append(f"“{first['keyword']}” rose most, by {written(first['change_points'])} points")
    if last["change_points"] < 0:
        said.append(f"“{last['keyword']}” fell most, by {written(-last['change_points'])} points")
    return f"In {first['week']} {'; '.join(said)}." if said else "No keyword moved."


def _organizations(rows: Sequence[Row]) -> str:
    return f"{rows[0]['organization']} had the most: {rows[0]['paper_count']:,} papers."


def _code(rows: Sequence[Row]) -> str:
    return f"In {rows[-1]['month']} {written(rows[-1]['code_pct'])} % named a repository."


def _curation(rows: Sequence[Row]) -> str:
    newest = rows[-1]
    if not newest["submitters"]:
        return f"In {newest['month']} the Hub did not say who put the papers there."
    return (
        f"In {newest['month']} the median list came from {written(newest['submitters'])} people,"
        f" {written(newest['days_after_arxiv'])} days after arXiv."
    )


QUESTIONS = (
    Question(
        "volume_by_weekday",
        "Papers by weekday",
        "bars",
        (Measure("papers_mean", "papers a list"),),
        _weekdays,
        "no list is complete.",
    ),
    Question(
        "growth_of_a_day",
        "How a list grows",
        "lines",
        (Measure("papers_pct", "of its papers", " %"), Measure("votes", "votes so far")),
        _growth,
        "no list was read while it was open and after it closed.",
    ),
    Question(
        "half_life_of_votes",
        "How soon votes come",
        "lines",
        (Measure("votes_pct", "of the votes after a week", " %"),),
        _half_life,
        "no list was read again a week after it closed.",
    ),
    Question(
        "keywords_that_move",
        "Keywords that rise and fall",
        "bars",
        (Measure("change_points", "points of all papers of the week"),),
        _keywords,
        "no week has four weeks before it.",
    ),
    Question(
        "organizations_of_the_season",
        "Organizations of the last ninety days",
        "bars",
        (Measure("paper_count", "papers"),),
        _organizations,
        "no paper names an organization.",
    ),
    Question(
        "share_with_code",
        "Papers with code",
        "lines",
        (Measure("code_pct", "of the papers", " %"),),
        _code,
        "no list has papers.",
    ),
    Question(
        "curation_of_the_lists",
        "Who puts the lists together",
        "lines",
        (
            Measure("submitters", "people a list"),
            Measure("busiest_pct", "by the busiest", " %"),
            Measure("by_authors_pct", "by their authors", " %"),
            Measure("days_after_arxiv", "days after arXiv"),
        ),
        _curation,
        "no list has papers.",
    ),
)

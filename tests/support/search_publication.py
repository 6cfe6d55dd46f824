"""A publication of made-up papers that has nothing but `marts.papers` and the index."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from flows.publication.published import opened
from flows.publication.tables import copy_table
from flows.search.find import Question, find
from flows.search.hits import Hit
from flows.search.index import update_index
from flows.search.meaning import SentenceModel
from flows.search.publish_index import publish_index
from flows.sources.sample.days import items_at

Paper = Mapping[str, Any]

_PAPERS = pa.schema(
    [
        *((name, pa.string()) for name in ("paper_id", "reading_id", "title", "abstract")),
        *((name, pa.string()) for name in ("ai_summary", "organization_name")),
        *((name, pa.list_(pa.string())) for name in ("ai_keywords", "author_names")),
        *((name, pa.date32()) for name in ("first_listed_on", "last_listed_on")),
        ("upvotes_count", pa.int64()),
        *((name, pa.string()) for name in ("github_url", "project_url")),
    ]
)


def index(folder: Path, papers: Iterable[Paper], made_with: str = "") -> int:
    """Bring the index of this folder's warehouse up to these papers; how many were read."""
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        rows = pa.Table.from_pylist([dict(paper) for paper in papers], _PAPERS)
        connection.execute("create schema if not exists marts")
        connection.execute("create or replace table marts.papers as from rows")
        del rows
        return update_index(connection, made_with)


def publish(folder: Path) -> Path:
    """Put this folder's papers and their index into a published file."""
    file = folder / "papers.duckdb"
    file.unlink(missing_ok=True)
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute(f"attach '{file}' as published (storage_version 'v1.0.0')")
        copy_table(connection, "papers", "marts.papers")
        publish_index(connection)
    return file


def paper(paper_id: str, **fields: Any) -> dict[str, Any]:
    """A paper of which only what matters is said."""
    return {
        "paper_id": paper_id,
        "reading_id": "a reading",
        "title": f"Title {paper_id}",
        "abstract": "An abstract.",
        "ai_keywords": [],
        "author_names": [],
        "upvotes_count": 0,
    } | fields


def sample_papers(count: int) -> list[dict[str, Any]]:
    """Papers of the sample days, of one list after the other."""
    papers: dict[str, dict[str, Any]] = {}
    day = date(2026, 8, 20)
    while len(papers) < count:
        day -= timedelta(days=1)
        for item in items_at(day, datetime(2026, 11, 1, tzinfo=UTC)):
            facts = item["paper"]
            papers[facts["id"]] = paper(
                facts["id"],
                title=facts["title"],
                abstract=facts["summary"],
                ai_summary=facts.get("ai_summary"),
                ai_keywords=facts.get("ai_keywords", []),
                author_names=[author["name"] for author in facts["authors"]],
                organization_name=item.get("organization", {}).get("fullname"),
                first_listed_on=day,
                last_listed_on=day,
                upvotes_count=facts["upvotes"],
                github_url=facts.get("githubRepo"),
            )
    return list(papers.values())[:count]


def search(path: Path, question: Question, model: SentenceModel | None = None) -> tuple[Hit, ...]:
    """The papers that the publication at `path` has for a question, the best first."""
    with opened(path) as connection:
        return find(connection, question, model)

"""A warehouse with small hand-made readings, good unless a test says otherwise."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from flows.gates.audit import create_audit
from flows.gates.gate import gate_marts, gate_raw
from flows.gates.judging import GateReport

DAY = date(2026, 8, 13)  # a Thursday
NOW = datetime(2026, 8, 14, 3, tzinfo=UTC)

ITEM_COLUMNS = [
    *("reading_id", "list_date", "read_at", "position", "paper_id", "title", "upvotes_count"),
    *("comments_count", "published_at", "listed_on", "contract_error", "item"),
]
_TABLES = """
    create schema raw;
    create table raw.readings (
        reading_id text, load_id text, list_date date, read_at timestamptz, verdict text,
        is_whole boolean, item_count bigint, new_fields text, kind text default 'daily'
    );
    create table raw.items (
        reading_id text, list_date date, read_at timestamptz, position bigint, paper_id text,
        title text, upvotes_count bigint, comments_count bigint, published_at timestamptz,
        listed_on date, contract_error text, item text
    );
    create schema marts;
    create table marts.papers (paper_id text, title text, github_url text, project_url text);
    create table marts.listings (
        list_date date, paper_id text, list_rank bigint, is_removed boolean
    );
    create table marts.daily_digests (
        digest_date date, verdict text, paper_count bigint, last_read_at timestamptz
    );
    create table marts.daily_digest_papers (
        digest_date date, digest_rank bigint, paper_id text, score double
    );
"""

EXTRAS: dict[str, Any] = {
    "ai_summary": "A summary.",
    "ai_keywords": ["a keyword"],
    "organization": {"name": "an-organization"},
    "githubRepo": "https://github.com/a/b",
    "submittedOnDailyBy": {"user": "someone"},
}


class Warehouse:
    """Raw tables to fill and gates to ask."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("set TimeZone = 'UTC'")
        self.connection.execute(_TABLES)
        create_audit(self.connection)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query gives."""
        return self.connection.execute(query).fetchall()

    def insert(self, table: str, **values: Any) -> None:
        """One row."""
        names, places = ", ".join(values), ", ".join("?" * len(values))
        self.connection.execute(
            f"insert into {table} ({names}) values ({places})", [*values.values()]
        )

    def add_reading(
        self,
        day: date = DAY,
        size: int = 20,
        *,
        hour: int = 26,
        minute: int = 0,
        bad: dict[int, dict[str, Any]] | None = None,
        every: dict[str, Any] | None = None,
        extras: dict[str, Any] = EXTRAS,
        **changes: Any,
    ) -> str:
        """A reading of `size` good items, with changes to it, to `every` item, to `bad` ones."""
        read_at = datetime.combine(day, time(), UTC) + timedelta(hours=hour, minutes=minute)
        reading: dict[str, Any] = {
            "reading_id": f"{day}.{read_at:%Y%m%dT%H%M%S}000Z",
            "load_id": "a-load",
            "list_date": day,
            "read_at": read_at,
            "verdict": "complete" if size else "empty",
            "is_whole": True,
            "item_count": size,
            "new_fields": "[]",
        } | changes
        self.insert("raw.readings", **reading)
        items = []
        for position in range(size):
            paper_id = f"{day:%y%m}.{day.day:02}{position:03}"
            paper = {"id": paper_id, "authors": [{"name": "A. Author"}]} | extras
            item = {
                "reading_id": reading["reading_id"],
                "list_date": day,
                "read_at": read_at,
                "position": position,
                "paper_id": paper_id,
                "title": f"Paper {position}",
                "upvotes_count": size - position,
                "comments_count": 0,
                "published_at": datetime.combine(day, time(), UTC) - timedelta(days=1),
                "listed_on": day,
                "contract_error": None,
                "item": json.dumps({"paper": paper}),
            }
            items.append(item | (every or {}) | (bad or {}).get(position, {}))
        self.add_items(items)
        return str(reading["reading_id"])

    def add_items(self, rows: list[dict[str, Any]]) -> None:
        """Items at once; keys that are no columns are left out."""
        kept = [{name: row[name] for name in ITEM_COLUMNS} for row in rows]
        if not kept:
            return
        self.connection.register("more_items", pa.Table.from_pylist(kept))
        self.connection.execute("insert into raw.items by name from more_items")

    def gate_raw(self, load_id: str = "a-load") -> list[GateReport]:
        """The word of gate raw."""
        return gate_raw(self.connection, load_id, now=NOW)

    def gate_marts(self, load_id: str = "a-load") -> list[GateReport]:
        """The word of gate marts."""
        return gate_marts(self.connection, load_id, now=NOW)

    def admit(self) -> None:
        """Let gate raw pass every reading there is, unasked: for what stands before a test."""
        self.connection.execute("""
            insert into audit.gates
            select reading_id, 'raw', list_date, true, 'passed', 28, 0, read_at
            from raw.readings
            where is_whole
        """)

    def build_marts(self) -> None:
        """The marts that dbt would make of the newest reading of each date."""
        self.connection.execute("""
            create or replace temp table newest as
            select * from raw.readings
            qualify row_number() over (partition by list_date order by read_at desc) = 1;
            insert into marts.papers
            select distinct on (paper_id) paper_id, title, 'https://github.com/a/b', null
            from raw.items semi join newest using (reading_id);
            insert into marts.listings
            select list_date, paper_id, position + 1, false
            from raw.items semi join newest using (reading_id);
            insert into marts.daily_digests
            select list_date, verdict, item_count, read_at from newest;
            insert into marts.daily_digest_papers
            select list_date, position + 1, paper_id, upvotes_count
            from raw.items semi join newest using (reading_id);
        """)


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    made = Warehouse()
    yield made
    made.connection.close()

"""A warehouse to fill with small readings, and the marts that dbt makes of them."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import duckdb
import pyarrow as pa

from flows.gates.audit import create_audit
from flows.mailing.ledger_issues import DeliveryCount
from flows.sources.hub_item import read_item
from flows.sources.linked_item import read_linked_item
from flows.sources.pipeline import ITEMS, READINGS, reading_id
from flows.transform import record_deliveries, stale_dates_as_variable
from flows.warehouse.sent_issues import record_issues

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
MARTS = (
    "papers",
    "paper_authors",
    "listings",
    "list_readings",
    "paper_readings",
    "paper_documents",
    "daily_digests",
    "daily_digest_papers",
    "paper_changes",
    "weekly_digests",
    "weekly_digest_papers",
    "monthly_digests",
    "monthly_digest_papers",
    "paper_momentum",
    "trending_papers",
    "hub_trending_papers",
    "paper_links",
    "linked_repositories",
    "keyword_weeks",
    "curation_days",
    "organizations",
    "submitters",
    "authors",
)


def item(paper_id: str, upvotes: int = 0, **more: Any) -> dict[str, Any]:
    """An item as the Hub gives it since 2026; `more` goes into its paper."""
    paper = {
        "id": paper_id,
        "title": f"Title of {paper_id}",
        "summary": "An abstract.",
        "authors": [{"name": "Ann Lee", "hidden": False}],
        "publishedAt": "2026-08-11T00:00:00.000Z",
        "upvotes": upvotes,
    }
    return {"paper": paper | more, "title": paper["title"], "numComments": 0}


class BuildFailedError(Exception):
    """dbt did not succeed; the message names the first node that failed."""


class Warehouse:
    """Readings go in, `build` makes the marts, `rows` asks them.

    Each change marks its list date as stale, as the pipeline does. The file stays open between the
    builds: opening and closing it took longer than most of what is done with it.
    """

    def __init__(self, folder: Path, path: Path) -> None:
        self.folder, self.path = folder, path
        self.stale: set[date] = set()
        self._views: set[str] = set()  # those that are made
        self._kept: duckdb.DuckDBPyConnection | None = None
        with self.connect() as connection:
            for schema in ("raw", "staging"):
                connection.execute(f"create schema {schema}")
            for name, schema in (("readings", READINGS), ("items", ITEMS)):
                empty = schema.empty_table()
                connection.register("empty", empty)
                connection.execute(f"create table raw.{name} as from empty")
                connection.unregister("empty")
            connection.execute("create table staging.stale_list_dates (list_date date)")
            create_audit(connection)
            record_deliveries(connection, [DeliveryCount(date(2026, 8, 13), "daily", "sent", 3)])
            record_issues(connection, folder / "issues")

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The warehouse in UTC."""
        if self._kept is None:
            self._kept = duckdb.connect(str(self.path))
            self._kept.execute("set TimeZone = 'UTC'")
        yield self._kept

    def close(self) -> None:
        """Let go of the file, for dbt or whoever opens it in another way."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def read(
        self,
        read_at: str,
        items: Sequence[object] = (),
        *,
        day: str | None = None,
        verdict: str = "complete",
        is_whole: bool = True,
        passed: bool | None = True,
        kind: str = "daily",
        quarantined: Mapping[int, str] | None = None,
    ) -> str:
        """Add a reading made at this UTC time, of that day's list unless said otherwise; its id.

        Items that break the contract are quarantined, as the gate does. `passed`: what the raw
        gate says, None where it has not been asked.
        """
        at = datetime.fromisoformat(read_at).replace(tzinfo=UTC)
        list_date = date.fromisoformat(day) if day else at.date()
        run_id = reading_id(list_date, at, kind)
        read_as = read_linked_item if kind == "linked" else read_item
        read = [read_as(position, raw) for position, raw in enumerate(items)]
        reading = {
            "reading_id": run_id,
            "load_id": "a load",
            "kind": kind,
            "origin": "import",
            "list_date": list_date,
            "read_at": at,
            "verdict": verdict,
            "reason": f"It is {verdict}.",
            "is_whole": is_whole,
            "http_status": 200,
            "page_count": 1,
            "item_count": len(read),
            "first_page_agrees": True,
            "payload_sha256": "0" * 64,
            "first_bytes": None,
            "new_fields": json.dumps(sorted({name for each in read for name in each.new_fields})),
        }
        keys = {"reading_id": run_id, "list_date": list_date, "read_at": at}
        rows = [keys | {name: getattr(each, name) for name in ITEMS.names[3:]} for each in read]
        broken = {each.position: each.contract_error for each in read if each.contract_error}
        with self.connect() as connection:
            _insert(connection, "raw.readings", pa.Table.from_pylist([reading], READINGS))
            _insert(connection, "raw.items", pa.Table.from_pylist(rows, ITEMS))
            for position, reason in (broken | dict(quarantined or {})).items():
                connection.execute(
                    "insert into audit.quarantined_items by name select"
                    " reading_id, list_date, read_at, position, paper_id, item,"
                    " ? as reason, 'the contract' as expectation, read_at as quarantined_at"
                    " from raw.items where reading_id = ? and position = ?",
                    [reason, run_id, position],
                )
        self.stale.add(list_date)
        if passed is not None:
            self.judge(run_id, "raw", passed=passed)
        return run_id

    def read_trending(self, read_at: str, items: Sequence[object]) -> str:
        """Add a reading of the Hub's trending order made at this UTC time; its id."""
        return self.read(read_at, items, is_whole=False, kind="trending")

    def read_linked(self, read_at: str, answers: Mapping[str, Mapping[str, Any]]) -> str:
        """Add what the Hub said at this UTC time of each of these papers; the reading's id."""
        items = [
            {"paper_id": each, "status": 200, "answer": {"id": each, **said}, "trouble": None}
            for each, said in answers.items()
        ]
        made = self.read(read_at, items, is_whole=False, kind="linked", passed=None)
        self.judge(made, "linked", passed=True)
        return made

    def judge(self, run_id: str, gate: str, *, passed: bool) -> None:
        """Add what a gate says of a reading."""
        with self.connect() as connection:
            connection.execute(
                "insert into audit.gates by name select reading_id as run_id, ? as gate,"
                " list_date, ? as is_passed, ? as reason, 1 as check_count, 0 as warning_count,"
                " read_at as checked_at from raw.readings where reading_id = ?",
                [gate, passed, f"The gate {gate} says {passed}.", run_id],
            )
        self.stale.add(date.fromisoformat(run_id[:10]))

    def forget(self, run_id: str) -> None:
        """Take a reading out of `raw`, as no command does but an operator might."""
        self.execute("delete from raw.readings where reading_id = ?", run_id)
        self.execute("delete from raw.items where reading_id = ?", run_id)
        self.stale.add(date.fromisoformat(run_id[:10]))

    def build(self, *arguments: str) -> list[str]:
        """Build the models of the stale dates, or what these arguments of dbt say; the names run.

        Raises:
            BuildFailedError: a model or a test failed.
        """
        return self._invoke(*(arguments or self._run()))

    def build_of(self, *marts: str) -> list[str]:
        """Build these marts alone of the stale dates, and what they are made of; the names run.

        A quarter of a build or less. Ask for the same marts each time: the dates count as built.

        Raises:
            BuildFailedError: a model failed.
        """
        return self._invoke(*self._run(), "--select", *(f"+{mart}" for mart in marts))

    def _run(self) -> list[str]:
        """Run the models, and each view once: what it says does not change with what is read."""
        return ["run", *(["--exclude", *sorted(self._views)] if self._views else [])]

    def _invoke(self, *arguments: str) -> list[str]:
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner

        self.execute("delete from staging.stale_list_dates")
        for day in self.stale:
            self.execute("insert into staging.stale_list_dates values (?)", day)
        self.close()
        with patch.dict(os.environ, {"PAPERS_WAREHOUSE_PATH": str(self.path)}):
            stale = stale_dates_as_variable(sorted(self.stale))
            result = dbtRunner(parsed_project()).invoke([*arguments, *stale, *_places(self.folder)])
            DuckDBConnectionManager.close_all_connections()
        if result.exception:
            raise BuildFailedError(str(result.exception))
        nodes: Any = result.result
        for node in nodes:
            if str(node.status) in {"error", "fail"}:
                raise BuildFailedError(f"{node.node.name}: {node.message}")
        self.stale.clear()
        made = [node.node for node in nodes]
        self._views |= {n.name for n in made if getattr(n.config, "materialized", "") == "view"}
        return [node.name for node in made]

    def execute(self, sql: str, *parameters: object) -> None:
        """Change the warehouse."""
        with self.connect() as connection:
            connection.execute(sql, list(parameters))

    def rows(self, sql: str) -> list[Any]:
        """The rows of a query; of one column, its values."""
        with self.connect() as connection:
            rows = connection.execute(sql).fetchall()
        return [row[0] if len(row) == 1 else row for row in rows]

    def marts(self, *names: str) -> dict[str, list[Any]]:
        """Every row of these marts, of all where none is named, in an order of its own."""
        return {mart: self.rows(f"from marts.{mart} order by all") for mart in names or MARTS}


def _places(folder: Path) -> list[str]:
    return [
        *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--no-write-json"),
        *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
        *("--log-level", "none", "--no-use-colors", "--log-level-file", "none"),
    ]


@cache
def parsed_project(target: str = "local") -> Any:
    """dbt's manifest, the same for every warehouse and run: parsing takes longer than a build."""
    from dbt.cli.main import dbtRunner

    with TemporaryDirectory() as folder:
        result = dbtRunner().invoke(["parse", *_places(Path(folder)), "--target", target])
    if result.exception:
        raise BuildFailedError(str(result.exception))
    return result.result


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    connection.register("rows", rows)
    connection.execute(f"insert into {table} by name from rows")
    connection.unregister("rows")

"""Transform: dbt builds the marts of the dates whose readings changed. The only dbt caller.

raw, audit ──staging.stale_list_dates──▶ dbt build ──▶ staging.*, marts.*, quality.*
"""

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection
from prefect import get_run_logger
from prefect.artifacts import create_table_artifact

from flows import clock
from flows.mail_setup import open_mailing
from flows.mailing.database import MailingError
from flows.mailing.ledger_issues import DeliveryCount, delivery_counts
from flows.outcome import BuildFailedError
from flows.publication.catalog import PROJECT
from flows.runs.names import artifact_key
from flows.settings import Settings
from flows.stage import stage
from flows.warehouse.database import (
    check_writer,
    open_warehouse,
    place_for_dbt,
    retried_on_conflict,
    trouble,
)
from flows.warehouse.refusals import not_built_yet, refuse, take_back
from flows.warehouse.sent_issues import record_issues
from flows.warehouse.stale_dates import mark_built, mark_stale
from flows.wording import counted

_FAILED = ("error", "fail")
_LONGEST_REASON = 300  # characters of what dbt said


@dataclass(frozen=True)
class Node:
    """One model or test of a build. `row_count`: rows of a table, or rows against a test."""

    name: str
    kind: str
    status: str
    row_count: int | None
    seconds: float
    message: str


@dataclass(frozen=True)
class Refusal:
    """A reading that the models cannot digest, and what they said."""

    reading_id: str
    list_date: date
    reason: str


@dataclass(frozen=True)
class Build:
    """What dbt did, node by node, and what it did without."""

    nodes: tuple[Node, ...]
    list_date_count: int
    refused: tuple[Refusal, ...] = ()

    def refusing(self, reading_id: str) -> Refusal | None:
        """The refusal of this reading; None where it was built."""
        return next((each for each in self.refused if each.reading_id == reading_id), None)

    @property
    def sentence(self) -> str:
        """How much was built for how many days."""
        models = sum(node.kind == "model" for node in self.nodes)
        tests = counted(len(self.nodes) - models, "test")
        days = counted(self.list_date_count, "day")
        said = f"{counted(models, 'model')} and {tests} built for {days}"
        without = f", without {', '.join(each.reading_id for each in self.refused)}"
        return said + without if self.refused else said


@stage
def transform(settings: Settings) -> Build:
    """Bring staging and marts up to date with what `raw` holds and the gates let through.

    A new reading that a model or a data test cannot digest is refused, and the others are built.

    Raises:
        BuildFailedError: the build fails without the new readings too; nothing was refused.
    """
    with open_warehouse(settings) as connection:
        suspects = not_built_yet(connection)
    try:
        return _built(settings)
    except BuildFailedError as stop:
        if not suspects:
            raise
        _refuse(settings, suspects, stop)
        try:
            build = _built(settings)
        except BuildFailedError:
            with open_warehouse(settings) as connection:
                take_back(connection, suspects, _GATE)
            raise stop from None
        if len(suspects) > 1:
            _let_in_what_can_be_digested(settings, suspects)
            build = _built(settings)
        return replace(build, refused=_refusals(settings, suspects))


_GATE = "build"
# What looks at all of history, and the tests that `rules_of_<folder>` asks a folder at a time.
_NOT_OF_A_DAY = ("tag:all_history", "test_type:generic")
# What a day can change. A view is made by the first build of a project, and stays as it is.
_WITH_ROWS = ("config.materialized:incremental", "config.materialized:table", "resource_type:test")


def _let_in_what_can_be_digested(settings: Settings, refused: Sequence[str]) -> None:
    """Find the readings that fail the build among several refused ones, by halves."""
    middle = len(refused) // 2
    for half in (refused[:middle], refused[middle:]):
        with open_warehouse(settings) as connection:
            take_back(connection, half, _GATE)
        try:
            _built(settings)
        except BuildFailedError as stop:
            _refuse(settings, half, stop)
            if len(half) > 1:
                _let_in_what_can_be_digested(settings, half)


def _refuse(settings: Settings, reading_ids: Sequence[str], stop: BuildFailedError) -> None:
    said = " ".join(str(stop).split())[:_LONGEST_REASON]
    with open_warehouse(settings) as connection:
        refuse(connection, reading_ids, _GATE, f"The build stopped it: {said}", clock.utc_now())


def _refusals(settings: Settings, reading_ids: Sequence[str]) -> tuple[Refusal, ...]:
    query = """
        select run_id, list_date, reason from audit.gates
        where gate = ? and not is_passed and list_contains(?, run_id) order by run_id
    """
    with open_warehouse(settings) as connection:
        rows = connection.execute(query, [_GATE, list(reading_ids)]).fetchall()
    return tuple(Refusal(*row) for row in rows)


def _built(settings: Settings) -> Build:
    """What dbt built of what is stale now; what is not built in the end is stale the next time."""
    return retried_on_conflict(partial(_built_once, settings))


def _built_once(settings: Settings) -> Build:
    """What dbt built of what is stale now.

    The nodes go to Prefect as one table, not as a task run each: the same facts on the same
    page for 0.02 s instead of 2.5 s a build.
    """
    project = _fingerprint()
    with open_warehouse(settings) as connection:
        is_new_project = project != _built_with(connection)
        stale = mark_stale(connection, every_date=is_new_project)
        record_deliveries(connection, _delivery_counts(settings))
        record_issues(connection, settings.issues_path)
    build = Build(_dbt_build(settings, stale, is_new_project=is_new_project), len(stale))
    create_table_artifact(
        key=artifact_key("dbt-build"),
        table=_table(build.nodes),
        description=build.sentence,
    )
    failed = [node for node in build.nodes if node.status in _FAILED]
    if failed:
        said = f"dbt {failed[0].kind} {failed[0].name} failed: {failed[0].message}"
        raise _stop(BuildFailedError(said))
    with open_warehouse(settings) as connection:
        connection.execute(_REMEMBER_PROJECT, [project])
        mark_built(connection)
    if is_new_project or not (settings.home / "docs" / "index.html").exists():
        _write_docs_or_warn(settings)
    return build


def _table(nodes: Sequence[Node]) -> list[dict[str, object]]:
    """The nodes as a table, failed ones first; a narrow page shows only its first columns."""
    columns = ("status", "kind", "row_count", "seconds", "name", "message")
    by_status = sorted(nodes, key=lambda node: node.status not in _FAILED)
    return [{column: getattr(node, column) for column in columns} for node in by_status]


def _write_docs_or_warn(settings: Settings) -> None:
    """A page about the tables must not stop the tables."""
    try:
        write_docs(settings)
    except BuildFailedError as error:
        get_run_logger().warning("docs/index.html is that of before: %s", error)


def write_docs(settings: Settings) -> Path:
    """The models with their lineage, as dbt shows them: one page that needs no network.

    Raises:
        BuildFailedError: dbt could not write it.
    """
    places = _places(settings)
    _invoke(settings, ["docs", "generate", "--static", *places])
    page = settings.home / "docs" / "index.html"
    page.parent.mkdir(exist_ok=True)
    return (settings.home / "dbt" / "target" / "static_index.html").replace(page)


def record_deliveries(
    connection: DuckDBPyConnection, counts: Sequence[DeliveryCount] | None
) -> None:
    """Fill `mailing.digest_deliveries` anew, or leave it as it was where counts are not known.

    Counts are all that the warehouse learns of mail.
    """
    connection.execute(_DELIVERIES)
    if counts is None:
        return
    connection.execute("delete from mailing.digest_deliveries")
    for count in counts:
        connection.execute(
            "insert into mailing.digest_deliveries values (?, ?, ?, ?)",
            [count.issue_date, count.edition, count.state, count.count],
        )


def _delivery_counts(settings: Settings) -> Sequence[DeliveryCount] | None:
    """The ledger's counts; None where it cannot be opened, which must not stop the warehouse."""
    try:
        with closing(open_mailing(settings)) as mailing:
            return delivery_counts(mailing)
    except MailingError as error:
        get_run_logger().warning("The counts of mail are those of before: %s", error)
        return None


_DELIVERIES = """
    create schema if not exists mailing;
    create table if not exists mailing.digest_deliveries (
        issue_date date, edition text, state text, delivery_count bigint
    );
"""


def _built_with(connection: DuckDBPyConnection) -> str | None:
    """The project that the marts were last built with, from first to last, if any."""
    connection.execute("create schema if not exists staging")
    connection.execute("create table if not exists staging.built_with (project_sha256 text)")
    row = connection.execute("select project_sha256 from staging.built_with").fetchone()
    return row[0] if row else None


def _fingerprint() -> str:
    """What the project's files are: other SQL makes other tables, and those are made anew."""
    digest = hashlib.sha256()
    for path in sorted(PROJECT.rglob("*")):
        name = path.relative_to(PROJECT)
        if path.suffix in {".sql", ".yml"} and name.parts[0] != "target":
            digest.update(f"{name}\n".encode() + path.read_bytes())
    return digest.hexdigest()


_REMEMBER_PROJECT = """
    create or replace table staging.built_with as select $1::text as project_sha256
"""


def _dbt_build(
    settings: Settings, stale: Sequence[date], *, is_new_project: bool
) -> tuple[Node, ...]:
    # Unit tests are about the SQL, not about today's data, and what looks at all of history would
    # make each day's build slower: the test suite runs both.
    build = ["build", *_places(settings), "--no-write-json", *stale_dates_as_variable(stale)]
    build += ["--exclude-resource-type", "unit_test", "--exclude", *_NOT_OF_A_DAY]
    build += ["--full-refresh"] if is_new_project else ["--select", *_WITH_ROWS]
    result = _invoke(settings, build)
    with open_warehouse(settings) as connection:
        return _nodes(connection, result)


def stale_dates_as_variable(stale: Sequence[date]) -> tuple[str, str]:
    """The arguments of dbt that spare a build its questions for `staging.stale_list_dates`.

    For a project that is parsed already: dbt parses it anew where the variables are others.
    """
    return "--vars", json.dumps({"stale_list_dates": [str(list_date) for list_date in stale]})


def _invoke(settings: Settings, arguments: list[str]) -> Any:  # noqa: ANN401  dbt ships no types
    """Run this dbt command over the warehouse and give its result."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    def check(event: Any) -> None:  # noqa: ANN401  dbt ships no types
        """Let no model or test begin once another host may write: each ends as an error then."""
        if event.info.name == "LogStartLine":
            check_writer(settings)

    # dbt gives up where another program has the file open; we wait, and then share ours with it.
    with open_warehouse(settings):
        _, os.environ["PAPERS_WAREHOUSE_PATH"] = place_for_dbt(settings)
        try:
            result = dbtRunner(_manifest(_places(settings)), [check]).invoke(arguments)
        finally:
            # dbt keeps the file open otherwise, and no other process could read the warehouse.
            DuckDBConnectionManager.close_all_connections()
    return _result(result, f"dbt could not {arguments[0]}")


@cache
def _manifest(places: tuple[str, ...]) -> Any:  # noqa: ANN401  dbt ships no types
    """The parsed project: the same for every build of a process, and seconds to make."""
    from dbt.cli.main import dbtRunner

    return _result(dbtRunner().invoke(["parse", *places]), "dbt cannot read its project")


def _result(invoked: Any, said: str) -> Any:  # noqa: ANN401  dbt ships no types
    """What dbt gives back; of what was raised only errors are failures, not Ctrl-C or SIGTERM."""
    if invoked.exception and not isinstance(invoked.exception, Exception):
        raise invoked.exception
    if invoked.exception:
        raise _stop(BuildFailedError(f"{said}: {invoked.exception}"))
    return invoked.result


def _stop(error: BuildFailedError) -> Exception:
    """Why the build stopped; a warehouse that is out of order is no reading's fault."""
    return trouble(error) or error


def _places(settings: Settings) -> tuple[str, ...]:
    """Where dbt finds its project and leaves its files, and that it is to be quiet."""
    folder = settings.home / "dbt"
    target, _ = place_for_dbt(settings)
    return (
        *("--log-level", "none", "--no-version-check", "--no-send-anonymous-usage-stats"),
        *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
        *("--target", target),
        *("--target-path", str(folder / "target"), "--log-path", str(folder)),
        # Prefect keeps the log; dbt's own file would stay open.
        *("--log-level-file", "none"),
    )


def _nodes(
    connection: DuckDBPyConnection,
    result: Any,  # noqa: ANN401  dbt ships no types
) -> tuple[Node, ...]:
    return tuple(
        Node(
            name=outcome.node.name,
            kind=str(outcome.node.resource_type),
            status=str(outcome.status),
            row_count=_row_count(connection, outcome),
            seconds=round(outcome.execution_time, 3),
            message=_message(connection, outcome),
        )
        for outcome in result.results
    )


def _message(connection: DuckDBPyConnection, outcome: Any) -> str:  # noqa: ANN401
    """What dbt said, and of a test that failed the first row against it, which names the rule."""
    said = str(outcome.message or "")
    if str(outcome.status) != "fail":
        return said
    query = f"select * from ({outcome.node.compiled_code}) as broken limit 1"
    (first,) = connection.execute(query).fetchall() or [()]
    return ": ".join(str(part) for part in (said, *first))


def _row_count(connection: DuckDBPyConnection, outcome: Any) -> int | None:  # noqa: ANN401
    """The rows of a table that was built, or those against a test; dbt-duckdb reports no others."""
    kind = str(outcome.node.resource_type)
    if kind == "test":
        failures: int | None = outcome.failures
        return failures
    if kind != "model" or str(outcome.status) != "success":
        return None
    if outcome.node.config.materialized not in {"table", "incremental"}:
        return None  # a view: counting it would run it
    counted = connection.execute(f"select count(*) from {outcome.node.relation_name}").fetchone()
    return int(counted[0]) if counted else None

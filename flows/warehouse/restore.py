"""What was known at a time: the readings until then, in a home of their own beside the real one.

warehouse.duckdb, issues/ ──until TIME──▶ as-of/<day>@<time>/{warehouse.duckdb, issues/}
"""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

from flows import clock
from flows.errors import UsageError
from flows.issues.frozen import frozen_digest
from flows.settings import Settings
from flows.warehouse.database import (
    AS_WAREHOUSE,
    PATIENCE_SECONDS,
    has_table,
    has_warehouse,
    looking,
    open_warehouse,
)
from flows.warehouse.literals import literal


class AsOfError(UsageError):
    """A time that nothing can be rebuilt at; the message says why, and which times can be."""


def parse_time(words: str, now: datetime) -> datetime:
    """The time in these words (ISO 8601; in UTC where it names no zone), to the minute its end.

    Raises:
        AsOfError: it is no time, or it has not come yet.
    """
    try:
        time = clock.named_time(words.strip(), now)
    except ValueError:
        raise AsOfError(f"“{words}” is no time; write it as 2026-08-20T16:05Z.") from None
    if time > now:
        raise AsOfError(f"{_said(time)} has not come yet; a time that is past can be rebuilt.")
    return time


def check_time(settings: Settings, day: date, time: datetime) -> None:
    """Make sure that something was known of this day at this time.

    Raises:
        AsOfError: the day had not been read yet; the message says when it was first.
        WarehouseBusyError: a run holds the warehouse for longer than one waits.
    """
    first = None
    if has_warehouse(settings):
        with looking(settings, PATIENCE_SECONDS) as connection:
            if has_table(connection, "raw", "readings"):
                query = (
                    "select min(read_at) from raw.readings where kind = 'daily' and list_date = ?"
                )
                (first,) = connection.execute(query, [day]).fetchone() or (None,)
    if first is None:
        raise AsOfError(f"{day} was never read; `papers run {day}` reads it.")
    if first > time:
        raise AsOfError(
            f"Nothing was known of {day} at {_said(time)}; it was first read at {_said(first)}."
        )


def restore(settings: Settings, day: date, time: datetime) -> Settings:
    """The settings of a home that holds what was known at this time, made anew; nothing is built.

    Readings come with what the gates said of them, and issues that stood on readings before this
    time; one that stood on a reading of this time was not made yet. No mail can leave from there.
    """
    home = settings.home / "as-of" / f"{day}@{time:%Y-%m-%dT%H%M%S%f}Z"
    shutil.rmtree(home, ignore_errors=True)
    none = dict.fromkeys(("warehouse", "lake_storage", "mailing_url", "mail_url"))
    restored = Settings.model_construct(**settings.model_dump() | none | {"home": home})
    home.mkdir(parents=True)
    _copy_readings(settings, restored.warehouse_path, time)
    _copy_issues(settings.issues_path, restored.issues_path, time)
    return restored


def _copy_readings(settings: Settings, target: Path, time: datetime) -> None:
    with open_warehouse(settings) as connection:
        connection.execute(f"attach {literal(target)} as restored ({AS_WAREHOUSE})")
        connection.execute(
            "create schema restored.raw; create schema restored.audit;"
            " create schema restored.staging"
        )
        for name, condition in _UNTIL.items():
            if has_table(connection, *name.split(".")):
                connection.execute(
                    f"create table restored.{name} as from {name} where {condition}",
                    {"time": time},
                )
        connection.execute("detach restored")


# dlt's own tables stay behind: nothing is loaded there.
_READ_BY_THEN = "in (select reading_id from raw.readings where read_at <= $time)"
_UNTIL = {
    "raw.readings": "read_at <= $time",
    "raw.items": "read_at <= $time",
    "audit.gates": f"run_id {_READ_BY_THEN}",
    "audit.gate_results": f"run_id {_READ_BY_THEN}",
    "audit.quarantined_items": f"reading_id {_READ_BY_THEN}",
}


def _copy_issues(source: Path, target: Path, time: datetime) -> None:
    for file in sorted(source.glob("*/issue.json")):
        if frozen_digest(file.parent).proof.read_at < time:
            folder = target / file.parent.name
            folder.mkdir(parents=True)
            shutil.copy2(file, folder)


def _said(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"

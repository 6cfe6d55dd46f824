"""`papers readings`: which readings there are, and which of them are set aside, and why."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from cyclopts import App
from duckdb import DuckDBPyConnection

from flows import clock
from flows.commands.console import console, errors
from flows.errors import OperationError
from flows.outcome import EXIT_BLOCKED, EXIT_OK
from flows.settings import load_settings
from flows.warehouse.database import (
    PATIENCE_SECONDS,
    has_warehouse,
    looking,
    open_warehouse,
    writer_lock,
)
from flows.warehouse.refusals import KnownReading, readings, refuse, take_back
from flows.wording import counted

app = App(name="readings", help="List readings, set one aside, take it back.")


@app.command(name="list")
def list_(day: date | None = None, /) -> int:
    """The readings of a day, or the newest hundred, each with what refused it.

    Args:
        day: the list date, YYYY-MM-DD.
    """
    settings = load_settings()
    found: list[KnownReading] = []
    if has_warehouse(settings):
        with looking(settings, PATIENCE_SECONDS) as connection:
            found = readings(connection, day)
    if not found:
        of = f"of {day} " if day else ""
        errors.print(f"No reading {of}is kept in {settings.home}.", markup=False)
        return EXIT_BLOCKED
    for reading in found:
        console.print(_line(reading), markup=False)
    return EXIT_OK


@app.command
def quarantine(reading_id: str, /, *, reason: str) -> int:
    """Set a reading aside: the next run builds the tables without it.

    Args:
        reading_id: the reading, as `papers readings list` names it.
        reason: why, in a sentence; every surface of its day says it.
    """
    with _written() as connection:
        refuse(connection, [reading_id], "operator", f"Set aside: {reason}", clock.utc_now())
    console.print(f"{reading_id} is set aside; the next run builds the tables without it.")
    return EXIT_OK


@app.command(name="take-back")
def take_back_(reading_id: str, /) -> int:
    """Forget what was said against a reading: the next run asks the gates again and builds it.

    Args:
        reading_id: the reading, as `papers readings list` names it.
    """
    with _written() as connection:
        is_known = take_back(connection, [reading_id])
    if not is_known:
        errors.print(f"Nothing refuses {reading_id}; `papers readings list` shows what is.")
        return EXIT_BLOCKED
    console.print(f"{reading_id} is taken back; the next run asks the gates and builds it.")
    return EXIT_OK


@contextmanager
def _written() -> Iterator[DuckDBPyConnection]:
    settings = load_settings()
    if not has_warehouse(settings):
        raise OperationError(f"No reading is kept in {settings.home}.")
    with writer_lock(settings), open_warehouse(settings) as connection:
        yield connection


def _line(reading: KnownReading) -> str:
    papers = "no list" if reading.item_count is None else counted(reading.item_count, "paper")
    standing = "admitted" if reading.is_admitted else reading.refused_reason or "no list of its day"
    return f"{reading.reading_id}  {reading.verdict}  {papers}  {standing}"

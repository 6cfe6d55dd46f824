"""Where the warehouse is: one DuckDB file, or a lake that many hosts share; and its one writer.

Nobody outside this folder asks which of them it is.
"""

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import duckdb

from flows import clock
from flows.errors import OperationError
from flows.file_lock import try_to_lock, words_of_holder
from flows.outcome import EXIT_LATER
from flows.settings import Settings
from flows.warehouse import lake
from flows.warehouse.lake_trouble import LakeError, lake_error

# Nothing is installed at run time: without this a missing extension is four seconds of retries.
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    # Only this version opens the warehouse, so no older DuckDB has to read it; the newest format
    # keeps the items' JSON in an eighth of the room.
    "storage_compatibility_version": "latest",
}
# The same for a warehouse file that another DuckDB attaches.
AS_WAREHOUSE = "storage_version 'latest'"
PATIENCE_SECONDS = 20.0
_PAUSES = (0.5, 1.0, 2.0, 4.0)  # seconds before a step is done again
T = TypeVar("T")


class WarehouseBusyError(OperationError):
    """Someone else holds the warehouse; the message says who. It can be tried again later."""

    exit_code = EXIT_LATER


class WarehouseAwayError(WarehouseBusyError):
    """A part of the lake does not answer; the message says which. It can be tried again later."""


class OlderWarehouseError(OperationError):
    """The warehouse lacks what this version reads; the message says what brings it up to date."""


class DamagedError(OperationError):
    """A database file cannot be read; the message says which, why, and what brings it back."""


class ConflictError(WarehouseAwayError):
    """Another writer of the lake changed the same table at once, and was quicker."""


class WriterLostError(WarehouseBusyError):
    """PostgreSQL let go of this run's lock, so that another host may write."""


def has_warehouse(settings: Settings) -> bool:
    """Whether anything was ever kept in the warehouse of these settings; asking makes nothing."""
    if settings.lake_catalog:
        with told():
            return lake.exists(settings)
    return settings.warehouse_path.exists()


@contextmanager
def open_warehouse(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the warehouse in UTC, closed at the end of the block.

    Raises:
        WarehouseBusyError: another program kept the file open for PATIENCE_SECONDS.
        WarehouseAwayError: a part of the lake did not answer for as long.
        WriterLostError: this process was the one writer of the lake, and is no longer.
        LakeError: a part of the lake refuses, is full or is missing.
    """
    if settings.lake_catalog:
        with told():
            check_writer(settings)
            _attach_patiently(settings)
            with lake.connected(settings, CONFIG) as connection:
                yield connection
        return
    settings.warehouse_path.parent.mkdir(parents=True, exist_ok=True)
    with connect(settings.warehouse_path, way_out=_RESTORE) as connection:
        yield connection


def check_writer(settings: Settings) -> None:
    """Make sure, before more is written, that who became the one writer of the lake still is.

    It takes a question to PostgreSQL, and nothing where the warehouse is a file: the operating
    system keeps that lock as long as the process lives.

    Raises:
        WriterLostError: PostgreSQL let go of the lock.
    """
    if settings.lake_catalog and lake.has_lost_lock(settings):
        raise WriterLostError(
            "The lake's catalog ended the connection that makes this run the one writer, so it"
            " stopped before another host writes too; what was loaded is kept: run it again."
        )


@contextmanager
def told() -> Iterator[None]:
    """Tell in one sentence what of the lake stopped the block, whatever wrapped it."""
    try:
        yield
    except (LakeError, WarehouseBusyError):
        raise
    except Exception as error:
        if found := trouble(error):
            raise found from None  # its words may hold the password of the catalog
        raise


def trouble(error: Exception) -> OperationError | None:
    """The lake's trouble behind an error of the warehouse, to be raised in its place; or None."""
    found = lake_error(error)
    if found and found.is_conflict:
        return ConflictError(str(found))
    return WarehouseAwayError(str(found)) if found and found.may_pass else found


def retried_on_conflict(step: Callable[[], T]) -> T:
    """What this step gives, which is done again where another writer of the lake was quicker.

    DuckLake puts changes of different tables in line by itself, however many tries that takes;
    who changes the same table begins anew, and so has to read anew what it goes by.

    Raises:
        ConflictError: others were quicker each time.
    """
    for pause in _PAUSES:
        try:
            return step()
        except Exception as error:
            if not isinstance(trouble(error) or error, ConflictError):
                raise
            time.sleep(pause)
    return step()


def _attach_patiently(settings: Settings) -> None:
    """Attach the lake, and wait for a catalog that is away: it may just be starting."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            lake.address(settings, CONFIG)
        except duckdb.Error as error:
            found = trouble(error)
            if not isinstance(found, WarehouseAwayError) or time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def place_for_dbt(settings: Settings) -> tuple[str, str]:
    """The target of dbt's profile, and the path at which DuckDB opens the warehouse for it."""
    if settings.lake_catalog:
        return "lake", lake.address(settings, CONFIG)
    return "local", str(settings.warehouse_path)


def staging_schema(settings: Settings) -> str:
    """Where a load is put together; in a lake each home has its own, should two load at once."""
    return f"raw_staging_{lake.home_id(settings)}" if settings.lake_catalog else "raw_staging"


@contextmanager
def writer_lock(
    settings: Settings, patience: float = PATIENCE_SECONDS, holder: str | None = None
) -> Iterator[None]:
    """Be the one writer of this home, and of its lake, while the block runs.

    The operating system frees the lock when its holder dies, however it dies, and PostgreSQL does
    for a lake. `holder` is the name that a process is shown which gives up waiting (default: the
    command that this process was started with).

    Raises:
        WarehouseBusyError: another process kept it for `patience` seconds.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    with settings.lock_path.open("a+") as file:
        _acquire(file, patience, shared=False)
        name = f"{holder or _command()} (process {os.getpid()}, since {clock.utc_now():%H:%M} UTC)"
        file.truncate(0)
        file.write(name)
        file.flush()
        with _lake_lock(settings, name, patience):
            yield


@contextmanager
def _lake_lock(settings: Settings, name: str, patience: float) -> Iterator[None]:
    """Where the warehouse is a lake, be its one writer among all hosts too."""
    if not settings.lake_catalog:
        yield
        return
    with told(), lake.held(settings, name, patience) as other:
        if other is not None:
            raise WarehouseBusyError(_IN_USE.format(other))
        yield


def _command() -> str:
    return f"`{' '.join([Path(sys.argv[0]).name, *sys.argv[1:]])}`"


@contextmanager
def looking(settings: Settings, patience: float = 0) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse to look at, while no run is at work; one that begins now waits for the end.

    Raises:
        WarehouseBusyError: a run was at work for `patience` seconds, or another program holds the
            file open.
        OlderWarehouseError: the block asked for a table or column that no run has made yet.
    """
    if settings.lake_catalog:  # who reads a lake holds up nobody
        with open_warehouse(settings) as connection, lacking(OlderWarehouseError(_OLDER)):
            yield connection
        return
    descriptor = os.open(settings.lock_path, os.O_RDONLY | os.O_CREAT, 0o644)
    with os.fdopen(descriptor) as file:
        _acquire(file, patience, shared=True)
        with (
            connect(
                settings.warehouse_path, read_only=True, patience=patience, way_out=_RESTORE
            ) as connection,
            lacking(OlderWarehouseError(_OLDER)),
        ):
            yield connection


# What DuckDB raises for a table or column that there is not.
LACKS = (duckdb.BinderException, duckdb.CatalogException)


@contextmanager
def lacking(error: OperationError) -> Iterator[None]:
    """Raise this error where the block asks a database for a table or column that it lacks."""
    try:
        yield
    except LACKS:
        raise error from None


_OLDER = "The warehouse lacks tables of this version; the next `papers run` makes them."
_IN_USE = "The warehouse is in use by {}; try again when it has finished."


@contextmanager
def home_lock(settings: Settings) -> Iterator[None]:
    """Be the one who changes the files of this home while the block runs; the lake goes on.

    Raises:
        WarehouseBusyError: a run is at work in this home.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    with settings.lock_path.open("a+") as file:
        _acquire(file, 0, shared=False)
        yield


def _acquire(file: IO[str], patience: float, *, shared: bool) -> None:
    deadline = time.monotonic() + patience
    while not try_to_lock(file, shared=shared):
        if time.monotonic() > deadline:
            file.seek(0)
            name = file.read() or "another process"
            raise WarehouseBusyError(_IN_USE.format(name))
        time.sleep(0.2)


def lock_holder(settings: Settings) -> str | None:
    """Who is the writer of this home or its lake now, as it named itself; None where nobody is."""
    name = words_of_holder(settings.lock_path)
    if name is None and settings.lake_catalog:
        with told():
            return lake.writer(settings)
    return name if name is None else name or "another process"


@contextmanager
def connect(
    path: Path,
    *,
    read_only: bool = False,
    patience: float = PATIENCE_SECONDS,
    way_out: str = "remove it, and `papers run` publishes it anew",
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in UTC, closed at the end of the block: DuckDB locks the file while it is open.

    Raises:
        WarehouseBusyError: another program kept the file open for `patience` seconds.
        DamagedError: the file is no database, or a part of it cannot be read; `way_out` says what
            brings it back.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            connection = duckdb.connect(str(path), read_only=read_only, config=CONFIG)
            break
        except duckdb.IOException as error:
            if "lock" not in str(error):
                raise _damaged(path, error, way_out) from None
            if time.monotonic() > deadline:
                raise WarehouseBusyError(
                    f"{path} is held open by another program; close it and run this again."
                ) from None
            time.sleep(0.2)
    with connection:
        connection.execute("set TimeZone = 'UTC'")
        try:
            yield connection
        except duckdb.IOException as error:
            if not _OF_DAMAGE.search(str(error)):
                raise
            raise _damaged(path, error, way_out) from error


# What DuckDB says where a file is shorter than it says itself, or a block is not what it was.
_OF_DAMAGE = re.compile(r"Could not read|[Cc]orrupt")
_RESTORE = "restore it from the backup, or name another file as PAPERS_WAREHOUSE"


def _damaged(path: Path, error: duckdb.IOException, way_out: str) -> DamagedError:
    said = str(error).splitlines()[0].removeprefix("IO Error: ").rstrip(".")
    return DamagedError(f"{path} cannot be read; {way_out}. DuckDB says: {said}.")


@contextmanager
def bounded_memory(connection: duckdb.DuckDBPyConnection, most: str) -> Iterator[None]:
    """Let DuckDB keep no more than `most`, as `1200MB`, while the block runs.

    It would else keep as much as four fifths of the machine's memory.
    """
    (usual,) = connection.execute("select current_setting('memory_limit')").fetchall()[0]
    connection.execute(f"set memory_limit = '{most}'")
    try:
        yield
    finally:
        connection.execute(f"set memory_limit = '{usual}'")


def has_table(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    """Whether this table or view exists."""
    found = connection.execute(
        "select 1 from information_schema.tables where table_catalog = current_database()"
        " and table_schema = ? and table_name = ?",
        [schema, table],
    )
    return found.fetchone() is not None


def records(
    connection: duckdb.DuckDBPyConnection, query: str, values: object = None
) -> list[dict[str, Any]]:
    """The rows of a query as dicts, column by column."""
    result = connection.execute(query, values)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

"""Where the mailing state is: a SQLite file by default, PostgreSQL for several machines."""

import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.pool import PoolProxiedConnection

from flows.errors import OperationError

_BUSY_SECONDS = 30
BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")
_MIGRATION_LOCK = 0x7061706572  # 'paper': any number that nobody else on that server locks


class MailingError(OperationError):
    """The mailing database cannot be opened, or stopped answering; the message says why."""


@dataclass(frozen=True)
class Mailing:
    """An open mailing list. Pass it to the functions of this package; close it by `close()`."""

    engine: Engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the list, and changes nothing."""
        with self.answering(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection whose changes are all kept at the end, or none of them."""
        with self.answering(), self.writing.begin() as connection:
            yield connection

    def connect_unsynced(self) -> tuple[PoolProxiedConnection, str | None]:
        """A driver's connection whose commits outlive this process, and what begins its writing.

        On SQLite they do not outlive a power cut: see `leases` for what happens then.
        """
        with self.answering():
            raw = self.engine.raw_connection()
            if self.file is None:
                return raw, None
            # where a power cut could not be told from a killed process, each commit must be synced
            synchronous = "normal" if BOOT_ID_FILE.exists() else "full"
            raw.cursor().execute(f"pragma synchronous = {synchronous}")
            return raw, "begin immediate"

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Turn the driver's word that the database does not answer, or its disk is full, into ours.

        Without the statement: its values may be addresses.
        """
        drivers = self.engine.dialect.loaded_dbapi.OperationalError
        try:
            yield
        except (OperationalError, drivers) as error:
            cause = str(getattr(error, "orig", error)).strip()
            raise MailingError(f"The mailing list does not answer: {cause}.") from None

    @cached_property
    def writing(self) -> Engine:
        """The engine whose transactions write."""
        return self.engine.execution_options(papers_writes=True)

    @property
    def file(self) -> Path | None:
        """The SQLite file, or None on PostgreSQL."""
        is_file = self.engine.dialect.name == "sqlite" and self.engine.url.database
        return Path(str(self.engine.url.database)) if is_file else None

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_mailing_database(url: str | Path) -> Mailing:
    """The mailing list at a path or database URL, created or migrated to the newest schema first.

    Safe when several processes open it at once. Raises MailingError.
    """
    address = _normalized(url)
    try:
        if address.get_backend_name() == "sqlite":
            mailing = Mailing(_sqlite(address))
        else:
            mailing = Mailing(create_engine(address, pool_pre_ping=True, pool_size=8))
        try:
            _migrate(mailing)
        except Exception:
            mailing.close()
            raise
    except (OperationalError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        raise MailingError(
            f"The mailing list {address.render_as_string()} cannot be opened: {cause}".strip()
        ) from error
    except DatabaseError as error:
        if not isinstance(error.orig, sqlite3.DatabaseError):
            raise
        raise MailingError(
            f"The mailing list {address.database} is damaged: {error.orig}. Restore it from the"
            " backup; mailed.log, which no backup holds, keeps issues from being sent again."
        ) from error
    return mailing


def _normalized(url: str | Path) -> URL:
    plain = str(url)
    if "://" not in plain:
        return URL.create("sqlite", database=str(Path(plain).absolute()))
    try:
        address = make_url(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", plain))
    except (ArgumentError, ValueError) as error:  # SQLAlchemy reads the port with int()
        raise MailingError("PAPERS_MAILING_URL is not a database URL.") from error
    if address.get_backend_name() not in {"sqlite", "postgresql"}:
        raise MailingError(
            f"PAPERS_MAILING_URL names {address.get_backend_name()}; "
            "the mailing list lives in sqlite:// or postgresql://."
        )
    if address.get_backend_name() == "sqlite" and address.database in {None, "", ":memory:"}:
        raise MailingError("PAPERS_MAILING_URL must name a SQLite file: a ledger has to last.")
    return address


def _sqlite(address: URL) -> Engine:
    path = Path(str(address.database))
    path.parent.mkdir(parents=True, exist_ok=True)
    # Addresses are in there: only the owner reads it. SQLite gives its side files the same mode.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    engine = create_engine(
        address,
        pool_size=8,
        connect_args={"timeout": _BUSY_SECONDS},
        paramstyle="named",  # as PostgreSQL's driver has it: `marks` fills in values by name
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # this package says when a transaction begins
        _use_wal(connection)
        connection.execute("pragma foreign_keys = on")
        connection.execute("pragma wal_autocheckpoint = 4000")  # pages; each one syncs twice

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that reads first and then writes cannot wait for another writer; it fails.
        raw: Any = connection.connection.driver_connection  # SQLAlchemy's way costs ten times more
        if connection.get_execution_options().get("papers_writes"):
            raw.execute("pragma synchronous = full")
            raw.execute("begin immediate")
        else:
            raw.execute("begin")

    return engine


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging; SQLite does not wait for others at this one statement."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _is_busy(error: sqlite3.OperationalError) -> bool:
    """Whether another connection is in the way, and not the disk."""
    return error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _migrate(mailing: Mailing) -> None:
    if _revision(mailing) == _newest_revision():
        return
    # Alembic takes longer to import than all that a command does with a list that is up to date.
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", "flows.mailing:migrations")
    with mailing.writing.begin() as connection:  # on SQLite this waits for every other writer
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"select pg_advisory_xact_lock({_MIGRATION_LOCK})"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:  # the list names a migration that is not among ours
            address = mailing.engine.url.render_as_string()
            raise MailingError(
                f"The mailing list {address} is of a newer version of Daily Papers;"
                " install that one, or restore a backup from before it."
            ) from error


def _revision(mailing: Mailing) -> str | None:
    """The migration that the list has; None of a new one."""
    with mailing.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(text("select version_num from alembic_version"))
    return found


def _newest_revision() -> str:
    """The number of the last migration, which its file is named by."""
    names = (each.name for each in files("flows.mailing.migrations.versions").iterdir())
    return max(name[1:5] for name in names if name.startswith("m") and name.endswith(".py"))


def insert(connection: Connection) -> Any:  # noqa: ANN401
    """The INSERT of this database that knows ON CONFLICT, a function of a table."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert

        return postgresql_insert
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert

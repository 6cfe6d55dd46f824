"""The warehouse of many hosts: a DuckLake, attached to one DuckDB in memory that a process shares.

wheels ──load──▶ DuckDB ──attach──▶ the catalog in PostgreSQL, Parquet on S3 or in a folder
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING, Any

import duckdb
from duckdb import DuckDBPyConnection

from flows.settings import Settings
from flows.warehouse.literals import literal

if TYPE_CHECKING:
    import psycopg

Config = Mapping[str, str | bool | int | float | list[str]]

# What the lake is called in SQL: the one catalog that dbt, gates and publication are in.
NAME = "lake"
# The names that DuckDB knows its extensions by, and the wheels that hold them. Each is signed by
# DuckDB's makers, and the signature is checked when it is loaded.
_EXTENSIONS = {
    "ducklake": "duckdb_extension_ducklake",
    "postgres_scanner": "duckdb_extension_postgres",
    "httpfs": "duckdb_extension_httpfs",
}
_lock = threading.Lock()
_opened: dict[str, tuple[str, DuckDBPyConnection]] = {}
_numbers = count(1)
# The connections that hold the lock of a lake, by the home of its writer.
_holding: dict[Path, "psycopg.Connection"] = {}


@contextmanager
def connected(settings: Settings, config: Config) -> Iterator[DuckDBPyConnection]:
    """A connection in UTC whose catalog is the lake; what the block attaches is let go at its end.

    Loading the extensions and attaching take 0.7 s, once a process.
    """
    _, shared = _attached(settings, config)
    with shared.cursor() as connection:
        connection.execute(f"use {NAME}; set TimeZone = 'UTC'")
        before = _databases(connection)
        try:
            yield connection
        finally:
            with suppress(duckdb.Error):
                connection.rollback()
            connection.execute(f"use {NAME}")
            for other in _databases(connection) - before:
                connection.execute(f'detach "{other}"')


@contextmanager
def as_it_was(settings: Settings, config: Config, snapshot: int) -> Iterator[DuckDBPyConnection]:
    """A connection in UTC to the lake at this snapshot, to read only.

    In a DuckDB of its own, since views name the lake as they did when they were made.
    """
    with duckdb.connect(config=dict(config)) as connection:
        _attach(connection, settings, f", read_only, snapshot_version {snapshot}")
        connection.execute(f"use {NAME}; set TimeZone = 'UTC'")
        yield connection


def address(settings: Settings, config: Config) -> str:
    """What `duckdb.connect` calls the DuckDB of this process that has the lake attached."""
    return _attached(settings, config)[0]


def exists(settings: Settings) -> bool:
    """Whether somebody has made this lake; its catalog is asked, nothing is made."""
    import psycopg

    with psycopg.connect(settings.lake_catalog or "") as catalog:
        row = catalog.execute("select to_regclass('ducklake_metadata') is not null").fetchone()
        return bool(row and row[0])


@contextmanager
def held(settings: Settings, holder: str, patience: float) -> Iterator[str | None]:
    """Hold the lake as its one writer while the block runs.

    Yields None while it holds it, or the name of who does where `patience` seconds passed in vain.
    PostgreSQL frees the lock when the holder's connection ends, however it ends, and keeps those
    who wait in line. `has_lost_lock` tells whether that happened.
    """
    import psycopg

    name = _short(f"{gethostname()}: {holder}")
    with psycopg.connect(
        settings.lake_catalog or "", application_name=name, autocommit=True, **_KEPT_ALIVE
    ) as catalog:
        # A host that was cut off holds nothing for longer than a minute.
        for option in ("tcp_keepalives_idle", "tcp_keepalives_interval"):
            catalog.execute(f"set {option} = 15")
        catalog.execute("set tcp_keepalives_count = 3")
        catalog.execute(f"set lock_timeout = {max(int(patience * 1000), 1)}")
        try:
            catalog.execute(f"select pg_advisory_lock({_LOCK})")
        except psycopg.errors.LockNotAvailable:
            yield writer(settings) or "another run"
            return
        _holding[settings.home] = catalog
        try:
            yield None
        finally:
            del _holding[settings.home]


def has_lost_lock(settings: Settings) -> bool:
    """Whether this process held the lake, and PostgreSQL let go of it: its connection has ended."""
    import psycopg

    catalog = _holding.get(settings.home)
    if catalog is None:
        return False
    try:
        catalog.execute("select 1")
    except psycopg.Error:
        return True
    return False


def writer(settings: Settings) -> str | None:
    """Who holds the lake now, with its host; None where nobody does."""
    import psycopg

    with psycopg.connect(settings.lake_catalog or "") as catalog:
        row = catalog.execute(_HOLDER, {"lock": _LOCK}).fetchone()
        return str(row[0]) if row else None


# The key of the lock among the advisory locks of the catalog's database: "papers", in ASCII.
_LOCK = 0x706170657273
# What a firewall forgets when it is idle stays known, and who is cut off learns it within a minute.
_KEPT_ALIVE: dict[str, Any] = {
    "keepalives_idle": 15,
    "keepalives_interval": 15,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
_LONGEST_NAME = 63  # bytes that PostgreSQL keeps of a name


def _short(name: str) -> str:
    """A writer's name that PostgreSQL keeps whole: cut before its process, which tells it apart."""
    what, bracket, process = name.rpartition(" (")
    left = _LONGEST_NAME - len(f"..{bracket}{process}".encode())
    if len(name.encode()) <= _LONGEST_NAME:
        return name
    return f"{what.encode()[:left].decode(errors='ignore')}..{bracket}{process}"


_HOLDER = """
    select activity.application_name
    from pg_locks as locks
    inner join pg_stat_activity as activity using (pid)
    where
        locks.locktype = 'advisory' and locks.granted
        and locks.database = (select oid from pg_database where datname = current_database())
        and (locks.classid::bigint << 32) + locks.objid::bigint = %(lock)s
    order by locks.mode
    limit 1
"""


def home_id(settings: Settings) -> str:
    """What tells this home from those of all hosts of the lake, in eight letters."""
    return sha256(f"{gethostname()} {settings.home}".encode()).hexdigest()[:8]


def _key(settings: Settings) -> str:
    """What tells one lake, as it is opened, from another."""
    found = (settings.lake_catalog, _secret(settings), settings.lake_storage)
    return sha256(repr(found).encode()).hexdigest()


def _databases(connection: DuckDBPyConnection) -> set[str]:
    found = connection.execute("select database_name from duckdb_databases()").fetchall()
    return {row[0] for row in found}


def _attached(settings: Settings, config: Config) -> tuple[str, DuckDBPyConnection]:
    """The DuckDB that this process shares, anew where the catalog has gone away since."""
    with _lock:
        key = _key(settings)
        kept = _opened.get(key)
        if kept is not None:
            try:
                kept[1].cursor().execute(f"from {NAME}.current_snapshot()")
            except duckdb.Error:
                del _opened[key]
            else:
                return kept
        name = f":memory:lake_{next(_numbers)}"
        _opened[key] = name, _attach(duckdb.connect(name, config=dict(config)), settings)
        return _opened[key]


def _attach(
    connection: DuckDBPyConnection, settings: Settings, options: str = ""
) -> DuckDBPyConnection:
    storage = settings.lake_storage or ""
    is_s3 = storage.startswith("s3://")
    for name, wheel in _EXTENSIONS.items():
        if name != "httpfs" or is_s3:
            connection.execute(f"load {literal(_extension(settings, name, wheel))}")
    if is_s3:
        connection.execute(_secret(settings))
    catalog = settings.lake_catalog or ""
    try:
        # Inlined data is left to DuckDB's own catalogs: its errors in PostgreSQL are open.
        connection.execute(
            f"attach {literal(f'ducklake:postgres:{catalog}')} as {NAME}"
            f" (data_path {literal(storage)}, data_inlining_row_limit 0{options})"
        )
    except duckdb.Error as error:
        # DuckDB says where it was to connect, and that may hold a password.
        raise type(error)(str(error).replace(catalog, "…")) from None
    return connection


def _extension(settings: Settings, name: str, wheel: str) -> Path:
    """The extension under the name that DuckDB asks of its file: a link to the installed one."""
    spec = find_spec(wheel)
    folder = Path(next(iter(spec.submodule_search_locations or ()), "")) if spec else Path()
    installed = next(folder.glob("extensions/*/*.duckdb_extension"))
    link = settings.home / "extensions" / f"{name}.duckdb_extension"
    if not link.is_symlink() or link.readlink() != installed:
        link.parent.mkdir(parents=True, exist_ok=True)
        draft = link.with_suffix(f".{threading.get_native_id()}")
        draft.unlink(missing_ok=True)
        draft.symlink_to(installed)
        draft.replace(link)
    return link


def _secret(settings: Settings) -> str:
    """The statement that lets DuckDB open the bucket."""
    parts = {"region": settings.lake_s3_region}
    if settings.lake_s3_key_id:
        parts["key_id"] = settings.lake_s3_key_id
    if settings.lake_s3_secret:
        parts["secret"] = settings.lake_s3_secret.get_secret_value()
    options = ["type s3", *(f"{name} {literal(value)}" for name, value in parts.items())]
    if endpoint := settings.lake_s3_endpoint:
        scheme, _, host = endpoint.partition("://")
        options += [f"endpoint {literal(host)}", "url_style 'path'"]
        options += [f"use_ssl {'true' if scheme == 'https' else 'false'}"]
    return f"create or replace secret lake_storage ({', '.join(options)})"

"""A file warehouse into a lake, or a lake into a file: every table, proven equal before it counts.

warehouse.duckdb ──▶ lake        lake ──▶ warehouse.duckdb
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from flows.errors import OperationError, UsageError
from flows.settings import Settings
from flows.warehouse import lake
from flows.warehouse.database import (
    AS_WAREHOUSE,
    WarehouseBusyError,
    open_warehouse,
    writer_lock,
)
from flows.warehouse.literals import literal

_FILE = "file"


class MigrationError(UsageError):
    """Nothing to copy, or something in the way; the message says which."""


@dataclass(frozen=True)
class Migration:
    """What was copied, each table of it proven equal."""

    table_count: int
    row_count: int

    @property
    def sentence(self) -> str:
        """How much, and what comes next."""
        return (
            f"{self.table_count} tables with {self.row_count:,} rows were copied, each proven equal"
            " row for row; the next run makes views and marts anew."
        )


def into_lake(settings: Settings, file: Path) -> Migration:
    """Copy this warehouse file into the lake of these settings: all of it, or nothing.

    Raises:
        MigrationError: the settings name no lake, there is no such file, or the lake has tables.
    """
    _check_lake(settings)
    if not file.is_file():
        raise MigrationError(f"There is no warehouse file {file} to copy.")
    with _file_attached(settings, file, "read_only") as connection:
        if _tables(connection, lake.NAME):
            raise MigrationError("The lake has tables already; name an empty one.")
        # One transaction: a copy that is cut short leaves nothing that anybody sees.
        connection.begin()
        copied = _copy(connection, _FILE, lake.NAME)
        connection.commit()
    return copied


def into_file(settings: Settings, file: Path) -> Migration:
    """Copy the lake of these settings into this file, which appears when it is whole.

    Raises:
        MigrationError: the settings name no lake, it is empty, or the file exists.
    """
    _check_lake(settings)
    if file.exists():
        raise MigrationError(f"{file} exists already; move it away, or name another file.")
    draft = file.with_name(f"{file.name}.new")
    draft.unlink(missing_ok=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    with _file_attached(settings, draft, AS_WAREHOUSE) as connection:
        if not _tables(connection, lake.NAME):
            raise MigrationError("The lake is empty; there is nothing to copy.")
        copied = _copy(connection, lake.NAME, _FILE)
    draft.replace(file)
    return copied


def _check_lake(settings: Settings) -> None:
    if not settings.lake_catalog:
        raise MigrationError("PAPERS_WAREHOUSE names no lake: set it to ducklake:postgres:…")


@contextmanager
def _file_attached(settings: Settings, file: Path, options: str) -> Iterator[DuckDBPyConnection]:
    with writer_lock(settings), open_warehouse(settings) as connection:
        try:
            connection.execute(f"attach {literal(file)} as {_FILE} ({options})")
        except duckdb.IOException as error:
            if "lock" not in str(error):
                raise OperationError(f"{file} is no warehouse: {error}") from None
            raise WarehouseBusyError(f"{file} is held open by another program.") from None
        yield connection


def _copy(connection: DuckDBPyConnection, source: str, target: str) -> Migration:
    tables = _tables(connection, source)
    count = 0
    for schema in sorted({schema for schema, _ in tables}):
        connection.execute(f'create schema if not exists {target}."{schema}"')
    for schema, table in tables:
        name = f'"{schema}"."{table}"'
        columns = connection.execute(_COLUMNS, [source, schema, table]).fetchall()
        # A lake has no arrays of a fixed length; lists hold the same.
        types = {column: re.sub(r"\[\d+\]", "[]", kind) for column, kind, _ in columns}
        made = ", ".join(
            f'"{column}" {types[column]}{"" if is_nullable else " not null"}'
            for column, _, is_nullable in columns
        )
        chosen = ", ".join(f'"{column}"::{kind} as "{column}"' for column, kind in types.items())
        rows = f"select {chosen} from {source}.{name}"
        connection.execute(f"create table {target}.{name} ({made})")
        connection.execute(f"insert into {target}.{name} {rows}")
        count += _proven_equal(connection, name, rows, f"from {target}.{name}")
    return Migration(len(tables), count)


def _proven_equal(connection: DuckDBPyConnection, name: str, here: str, there: str) -> int:
    """How many rows both have; each of them has no row that the other has not as often."""
    counts = [
        connection.execute(f"select count(*) from ({rows})").fetchall()[0][0]
        for rows in (here, there, f"{here} except all {there}", f"{there} except all {here}")
    ]
    if counts[0] != counts[1] or any(counts[2:]):
        raise OperationError(f"The copy of {name} is not equal to it; nothing was changed.")
    return int(counts[0])


def _tables(connection: DuckDBPyConnection, catalog: str) -> list[tuple[str, str]]:
    return connection.execute(_TABLES, [catalog]).fetchall()


# What a build makes when it sees another project than before: views name the catalog they are in.
_TABLES = """
    select schema_name, table_name
    from duckdb_tables()
    where
        database_name = ? and not temporary
        and not (schema_name = 'staging' and table_name in ('built_with', 'publications'))
    order by all
"""
_COLUMNS = """
    select column_name, data_type, is_nullable
    from duckdb_columns()
    where database_name = ? and schema_name = ? and table_name = ?
    order by column_index
"""

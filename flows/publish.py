"""Publish: the audited marts out to readers, in one atomic replacement.

marts.*, quality.*  ──▶  published/papers.duckdb,  published/parquet/*.parquet
"""

import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

from duckdb import DuckDBPyConnection

from flows import clock
from flows.publication.catalog import marts
from flows.publication.parquet_files import write_months, write_table
from flows.publication.readme_table import comment, write_readme
from flows.runs.progress import track
from flows.search.index import copy_index, update_index
from flows.search.meaning import sentence_model
from flows.search.vectors import Paper, update_vectors
from flows.settings import Settings
from flows.stage import stage
from flows.warehouse.database import bounded_memory, connect, literal

PUBLISHED_SCHEMAS = ("marts", "quality")
# The oldest DuckDB whose shells and BI tools can open what we publish; 1.5 can still write it.
STORAGE_VERSION = "v1.0.0"
# Looked up paper by paper, as search does. Compressed, a look-up unpacks the 2,048 abstracts around
# it, which takes 2 ms; not compressed, the table takes two and a half times the room.
UNCOMPRESSED = ("marts", "papers")
# Vectors that one publication makes, at 20 to 40 ms each: a mail must not wait for all of history.
VECTORS_A_RUN = 500
# A million papers and their keys took 9 GB where DuckDB was let, and no longer with this.
MEMORY = "1500MB"
FEW_BATCHES = 5  # so many take no time that needs a bar
# Someone may be half way through reading the Parquet folder that has just been replaced.
KEPT_PARQUET_FOLDERS = 3


@dataclass(frozen=True)
class Publication:
    """What was put out."""

    database: Path
    parquet: Path
    table_count: int
    row_count: int

    @property
    def sentence(self) -> str:
        """How much is out now."""
        return f"{self.table_count} tables, {self.row_count:,} rows at {self.database}"


@stage
def publish(settings: Settings, most_vectors: int | None = VECTORS_A_RUN) -> Publication:
    """Replace the published database and the Parquet files by what the warehouse holds now.

    A reader that has the old file open keeps it; one that opens meanwhile gets the old or the new.
    At most `most_vectors` of the vectors that search lacks are made first, None for all.
    """
    folder = settings.published_path.parent
    folder.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(folder)
    database = folder / "papers.duckdb.new"
    parquet = _next_parquet_folder(folder)
    with connect(settings.warehouse_path) as connection, bounded_memory(connection, MEMORY):
        update_index(connection, _project(connection))
        update_vectors(connection, sentence_model(settings), most_vectors, _shown)
        connection.execute(
            f"attach {literal(database)} as published (storage_version '{STORAGE_VERSION}')"
        )
        rows = _copy_tables(connection)
        described = {
            f"{schema}.{table}": (marts()[table], count) for (schema, table), count in rows.items()
        }
        write_readme(connection, "published", described, clock.utc_now())
        copy_index(connection)
        _write_parquet(connection, rows, parquet, previous=folder / "parquet")
        connection.execute("detach published")
    _synchronize(database)
    _point(folder / "parquet", parquet)
    database.replace(settings.published_path)
    for old in sorted(folder.glob("parquet.*"))[:-KEPT_PARQUET_FOLDERS]:
        shutil.rmtree(old)
    return Publication(settings.published_path, folder / "parquet", len(rows), sum(rows.values()))


def _shown(batches: Iterable[Sequence[Paper]], count: int) -> Iterable[Sequence[Paper]]:
    return track(batches, count, "reading meanings") if count > FEW_BATCHES else batches


def _project(connection: DuckDBPyConnection) -> str:
    """The dbt project that the marts were built with."""
    row = connection.execute("select project_sha256 from staging.built_with").fetchone()
    return str(row[0]) if row else ""


def _copy_tables(connection: DuckDBPyConnection) -> dict[tuple[str, str], int]:
    """Copy every mart with its description into `published`; the number of rows of each."""
    tables = connection.execute(
        "select table_schema, table_name from information_schema.tables"
        " where table_catalog = current_database() and list_contains(?, table_schema)"
        " order by all",
        [list(PUBLISHED_SCHEMAS)],
    ).fetchall()
    rows = {}
    schemas = {table: schema for schema, table in tables}
    # a table comes after those that it references
    needed = {table: marts()[table].references.values() for table in schemas}
    for table in TopologicalSorter(needed).static_order():
        schema = schemas[table]
        name = f'"{schema}"."{table}"'
        copy_table(connection, schema, table)
        comment(connection, f"published.{name}", marts()[table])
        counted = connection.execute(f"select count(*) from published.{name}").fetchone()
        rows[schema, table] = int(counted[0]) if counted else 0
    return rows


def copy_table(connection: DuckDBPyConnection, schema: str, table: str) -> None:
    """Copy one table into the database that is attached as `published`, as it is best read."""
    connection.execute(f'create schema if not exists published."{schema}"')
    create = _create(connection, schema, table)
    if (schema, table) != UNCOMPRESSED:
        connection.execute(create)
        return
    # A table is compressed when it is checkpointed: not with the ones before or after it.
    connection.execute("checkpoint published; pragma force_compression = 'uncompressed'")
    connection.execute(create)
    connection.execute("checkpoint published; pragma force_compression = 'auto'")


def _create(connection: DuckDBPyConnection, schema: str, table: str) -> str:
    """The statements that copy a table, with its keys declared for whoever joins it."""
    mart, name = marts()[table], f'"{schema}"."{table}"'
    parts = [
        f'"{column}" {data_type}'
        for column, data_type in connection.execute(
            "select column_name, data_type from information_schema.columns"
            " where table_catalog = current_database() and table_schema = ? and table_name = ?"
            " order by ordinal_position",
            [schema, table],
        ).fetchall()
    ]
    parts.append(f"primary key ({', '.join(mart.key)})")
    parts += [
        f"foreign key ({column}) references {marts()[other].schema}.{other} ({column})"
        for column, other in mart.references.items()
    ]
    # DuckDB takes a foreign key only within the catalog in use.
    (warehouse,) = connection.execute("select current_database()").fetchall()[0]
    return (
        f'use published; create table {name} ({", ".join(parts)}); use "{warehouse}";'
        f" insert into published.{name} from {name}"
    )


def _write_parquet(
    connection: DuckDBPyConnection,
    tables: Iterable[tuple[str, str]],
    folder: Path,
    previous: Path,
) -> None:
    """Every table as one file, and those with a date in their key month by month as well."""
    folder.mkdir()
    for schema, table in tables:
        name = f"published.{schema}.{table}"
        mart = marts()[table]
        write_table(connection, name, mart, folder / f"{table}.parquet")
        if mart.date_column:
            write_months(connection, name, mart, folder / table, previous / table)


def _next_parquet_folder(folder: Path) -> Path:
    numbers = [int(old.suffix[1:]) for old in folder.glob("parquet.*")]
    return folder / f"parquet.{max(numbers, default=0) + 1:08d}"


def _remove_leftovers(folder: Path) -> None:
    """Clear what a killed publication left: its database, and a Parquet folder never pointed to."""
    for name in ("papers.duckdb.new", "papers.duckdb.new.wal", "parquet.link"):
        with suppress(FileNotFoundError):
            (folder / name).unlink()
    current = (folder / "parquet").resolve().name
    for unused in folder.glob("parquet.????????"):
        if unused.name > current or not (folder / "parquet").exists():
            shutil.rmtree(unused)


def _point(link: Path, target: Path) -> None:
    """Make the link lead to the target; at every moment it leads somewhere."""
    new = link.with_name("parquet.link")
    new.symlink_to(target.name)
    new.replace(link)


def _synchronize(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

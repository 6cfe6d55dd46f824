"""Publish: the audited marts out to readers, in one atomic replacement.

marts.*, quality.*  ──▶  published/papers.duckdb,  published/parquet/*.parquet
"""

import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from duckdb import DuckDBPyConnection

from flows import clock
from flows.publication.changes import (
    RENEWED,
    bring_up_to_date,
    is_little,
    parts_of,
    row_count,
)
from flows.publication.last_publication import (
    LastPublication,
    last_publication,
    made_with,
    remember_publication,
)
from flows.publication.newer import newer_elsewhere
from flows.publication.parquet_files import write_parquet
from flows.publication.readme_table import write_readme
from flows.publication.tables import copy_tables, sources_of
from flows.runs.progress import track
from flows.search.index import update_index
from flows.search.meaning import sentence_model
from flows.search.publish_index import publish_index, rules_sha256
from flows.search.vectors import Paper, update_vectors
from flows.settings import Settings
from flows.stage import stage
from flows.warehouse.database import (
    bounded_memory,
    check_writer,
    home_lock,
    open_warehouse,
    retried_on_conflict,
)
from flows.warehouse.literals import literal
from flows.warehouse.publications import at_publication, name_publication

# The oldest DuckDB whose shells and BI tools can open what we publish; 1.5 can still write it.
STORAGE_VERSION = "v1.0.0"
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
    return retried_on_conflict(partial(_publish_once, settings, most_vectors))


def _publish_once(settings: Settings, most_vectors: int | None) -> Publication:
    now = clock.utc_now()
    with open_warehouse(settings) as connection, bounded_memory(connection, MEMORY):
        update_index(connection, _project(connection))
        update_vectors(connection, sentence_model(settings), most_vectors, _shown)
        check_writer(settings)  # vectors of a long history are made for hours
        publication = _put_out(connection, settings, now)
        name_publication(connection, settings, now)
        return publication


def fetch(settings: Settings) -> Publication | None:
    """Publish here what another host published last; None where nothing newer is known.

    Raises:
        WarehouseBusyError: a run is at work in this home; it will publish here itself.
    """
    newest = newer_elsewhere(settings)
    if newest is None:
        return None
    with (
        home_lock(settings),
        at_publication(settings, newest) as connection,
        bounded_memory(connection, MEMORY),
    ):
        return _put_out(connection, settings, newest.published_at)


def _put_out(connection: DuckDBPyConnection, settings: Settings, now: datetime) -> Publication:
    database = settings.published_path
    database.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(database.parent)
    draft = database.with_name("papers.duckdb.new")
    parquet = _next_parquet_folder(database.parent)
    made = made_with(_project(connection), _model(connection), STORAGE_VERSION, rules_sha256())
    last = last_publication(database, made)
    sources = sources_of(connection)
    parts = parts_of(connection, sources)
    base = last if last and not last.has_grown and is_little(last.parts, parts) else None
    if base:
        shutil.copyfile(database, draft)
    connection.execute(
        f"attach {literal(draft)} as published (storage_version '{STORAGE_VERSION}')"
    )
    if base:
        bring_up_to_date(connection, sources, base.parts, parts)
        publish_index(connection, RENEWED)
    else:
        copy_tables(connection, sources)
        publish_index(connection)
    rows = {table: row_count(found) for table, found in parts.items()}
    write_readme(connection, "published", rows, now)
    write_parquet(connection, parts, parquet, last)
    used = _used(connection)
    connection.execute("detach published")
    _synchronize(draft)
    _point(database.with_name("parquet"), parquet)
    draft.replace(database)
    used_anew = base.used_anew if base else used
    remember_publication(database, LastPublication(made, parts, parquet.name, used, used_anew))
    for old in _parquet_folders(database.parent)[:-KEPT_PARQUET_FOLDERS]:
        shutil.rmtree(old)
    return Publication(database, database.with_name("parquet"), len(rows), sum(rows.values()))


def _shown(batches: Iterable[Sequence[Paper]], count: int) -> Iterable[Sequence[Paper]]:
    return track(batches, count, "reading meanings") if count > FEW_BATCHES else batches


def _project(connection: DuckDBPyConnection) -> str:
    """The dbt project that the marts were built with."""
    row = connection.execute("select project_sha256 from staging.built_with").fetchone()
    return str(row[0]) if row else ""


def _model(connection: DuckDBPyConnection) -> str:
    """The model that the vectors were made with, empty for none."""
    row = connection.execute("select model from search.vectors_made_with").fetchone()
    return str(row[0]) if row else ""


def _used(connection: DuckDBPyConnection) -> int:
    """The bytes of the publication that are in use; what went leaves free blocks in the file."""
    connection.execute("checkpoint published")
    query = """
        select used_blocks * block_size
        from pragma_database_size()
        where database_name = 'published'
    """
    (used,) = connection.execute(query).fetchall()[0]
    return int(used)


def _next_parquet_folder(folder: Path) -> Path:
    numbers = [int(old.suffix[1:]) for old in _parquet_folders(folder)]
    return folder / f"parquet.{max(numbers, default=0) + 1:08d}"


def _parquet_folders(folder: Path) -> list[Path]:
    """The folders of publications, oldest first, and nothing that somebody laid beside them."""
    return sorted(folder.glob("parquet." + "[0-9]" * 8))


def _remove_leftovers(folder: Path) -> None:
    """Clear what a killed publication left: its database, and a Parquet folder never pointed to."""
    for name in ("papers.duckdb.new", "papers.duckdb.new.wal", "papers.json.new", "parquet.link"):
        with suppress(FileNotFoundError):
            (folder / name).unlink()
    current = (folder / "parquet").resolve().name
    for unused in _parquet_folders(folder):
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

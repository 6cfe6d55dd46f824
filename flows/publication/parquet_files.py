"""The Parquet beside the published file: each table in one file, and the dated ones by month too.

published/parquet/listings.parquet                      all of it
published/parquet/listings/month=2026-08/<hash>.parquet the same rows, month by month

A month's file is named by the hash of its rows and of what is said of them, so a month that did not
change is not written again: it is a hard link to the file of the last publication.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from duckdb import DuckDBPyConnection

from flows.publication.catalog import Mart, marts
from flows.publication.changes import Parts
from flows.publication.last_publication import LastPublication
from flows.publication.tables import published
from flows.warehouse.literals import literal

# The usual level takes twice the time, for files that are a tenth smaller.
_LEVEL = 1


def write_parquet(
    connection: DuckDBPyConnection, parts: Parts, folder: Path, last: LastPublication | None
) -> None:
    """Every table as one file, and those with a date in their key month by month as well.

    What did not change since the last publication is a link to the file of then. The tables are
    those of `published`, and `parts` their months with the hashes of their rows.
    """
    folder.mkdir()
    previous = folder.with_name(last.parquet) if last else None
    before = last.parts if last else {}
    for table, months in parts.items():
        mart, file = marts()[table], folder / f"{table}.parquet"
        is_as_before = before.get(table) == months
        if not (is_as_before and _link(previous and previous / file.name, file)):
            _write(connection, published(mart), mart, file)
        if mart.date_column:
            _write_months(connection, mart, months, folder / table, previous and previous / table)


def _write_months(
    connection: DuckDBPyConnection,
    mart: Mart,
    months: Mapping[str, str],
    folder: Path,
    before: Path | None,
) -> None:
    said = hashlib.sha256(f"{mart.description} {mart.columns}".encode()).hexdigest()[:16]
    for month, rows_hash in months.items():
        name = Path(f"month={month}", f"{rows_hash}-{said}.parquet")
        (folder / name).parent.mkdir(parents=True)
        if not _link(before and before / name, folder / name):
            rows = f"from {published(mart)} where strftime({mart.date_column}, '%Y-%m') = '{month}'"
            _write(connection, f"({rows})", mart, folder / name)


def _link(before: Path | None, file: Path) -> bool:
    """Let `file` be the one of before; False where there is none."""
    if before is None or not before.exists():
        return False
    os.link(before, file)
    return True


def _write(connection: DuckDBPyConnection, rows: str, mart: Mart, file: Path) -> None:
    """Rows as one file, with what they are and what each column means in its metadata."""
    described = {"description": mart.description, "grain": mart.grain} | {
        f"column.{name}": description for name, description in mart.columns.items()
    }
    metadata = ", ".join(f"{literal(key)}: {literal(value)}" for key, value in described.items())
    connection.execute(
        f"copy {rows} to {literal(file)}"
        f" (format parquet, codec zstd, compression_level {_LEVEL}, kv_metadata {{{metadata}}})"
    )

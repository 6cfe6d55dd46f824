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

from flows.publication.catalog import Mart
from flows.warehouse.literals import literal

# The usual level takes twice the time, for files that are a tenth smaller.
_LEVEL = 1


def write_table(connection: DuckDBPyConnection, table: str, mart: Mart, file: Path) -> None:
    """A table as one file, with what it holds and what each column means in its metadata."""
    described = {"description": mart.description, "grain": mart.grain} | {
        f"column.{name}": description for name, description in mart.columns.items()
    }
    metadata = ", ".join(f"{literal(key)}: {literal(value)}" for key, value in described.items())
    connection.execute(
        f"copy {table} to {literal(file)}"
        f" (format parquet, codec zstd, compression_level {_LEVEL}, kv_metadata {{{metadata}}})"
    )


def write_months(
    connection: DuckDBPyConnection,
    table: str,
    mart: Mart,
    months: Mapping[str, str],
    folder: Path,
    previous: Path | None,
) -> None:
    """A dated table as one file a month; months as they are in the folder `previous` are linked.

    `months` are the months of the table with the hash of their rows.
    """
    said = hashlib.sha256(f"{mart.description} {mart.columns}".encode()).hexdigest()[:16]
    for month, rows_hash in months.items():
        file = folder / f"month={month}" / f"{rows_hash}-{said}.parquet"
        file.parent.mkdir(parents=True)
        before = previous / file.relative_to(folder) if previous else None
        if before and before.exists():
            os.link(before, file)
        else:
            rows = f"select * from {table} where strftime({mart.date_column}, '%Y-%m') = '{month}'"
            write_table(connection, f"({rows})", mart, file)

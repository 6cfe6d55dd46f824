"""What is published, as plain rows, without what differs from run to run: times, ids, rowids."""

from pathlib import Path
from typing import Any

import duckdb

_NAMES = """
    select schema_name, table_name, list(column_name order by column_index)
    from duckdb_columns()
    where
        schema_name in ('marts', 'quality', 'search')
        and not regexp_full_match(column_name, ?)
    group by all
"""
_OF_A_RUN = ".*(read|checked|quarantined)_at|(reading|run|publication)_id|paper_row"


def published_tables(home: Path, but: str = _OF_A_RUN) -> dict[str, list[tuple[Any, ...]]]:
    """Every published table by name, its rows in order; {} where nothing is published.

    `but` are the columns that are left out, as a regular expression.
    """
    file = home / "published" / "papers.duckdb"
    if not file.exists():
        return {}
    with duckdb.connect(str(file), read_only=True) as connection:
        return {
            f"{schema}.{table}": connection.execute(
                f"select {', '.join(columns)} from {schema}.{table} order by all"
            ).fetchall()
            for schema, table, columns in connection.execute(_NAMES, [but]).fetchall()
        }


def published_marts(home: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The same of the marts alone."""
    tables = published_tables(home)
    return {name: rows for name, rows in tables.items() if name.startswith("marts.")}

"""What changed since the last publication, and a copy of its file brought up to it.

The tables are compared part by part, by the hash of a month's rows; a part that differs is compared
row by row. So it is the rows that decide, and not what a build believes to have touched. A copy
brought up to date has the same rows as a publication made anew.
"""

from collections.abc import Mapping

from duckdb import DuckDBPyConnection

from flows.publication.catalog import Mart, in_order, marts
from flows.publication.tables import UNCOMPRESSED, published, uncompressed

# By table the number of rows and the hash of each part of it: of a month of its date, of a month of
# arXiv ids, or of all of it.
Parts = dict[str, dict[str, str]]
# Where more of the papers are in months that changed, as after a backfill, all is made anew: that
# is quicker than to look at them one by one.
MOST_CHANGED = 0.5


def parts_of(connection: DuckDBPyConnection, sources: Mapping[str, str]) -> Parts:
    """The parts of each table; `sources` says where its rows are, by the table's name."""
    return {
        table: dict(
            connection.execute(
                f"""
                select
                    {_part(marts()[table])} as part,
                    count(*) || '-' || to_hex(bit_xor(hash(rows)))
                from {source} as rows
                group by part
                order by part
                """
            ).fetchall()
        )
        for table, source in sources.items()
    }


def row_count(parts: Mapping[str, str]) -> int:
    """How many rows these parts of a table have."""
    return sum(int(part.partition("-")[0]) for part in parts.values())


def is_little(before: Parts, now: Parts) -> bool:
    """Whether so little changed that bringing a copy up to date is less work than all anew."""
    papers = now["papers"]
    changed = {part: papers[part] for part in _changed(before["papers"], papers) & papers.keys()}
    return row_count(changed) <= MOST_CHANGED * row_count(papers)


def bring_up_to_date(
    connection: DuckDBPyConnection, sources: Mapping[str, str], before: Parts, now: Parts
) -> None:
    """Bring the tables of `published` from what they were to what the sources are.

    A temporary table RENEWED has the paper_id of each paper whose row is another, or gone.
    """
    _find_changes(connection, sources, before, now)
    connection.execute(_RENEWED_PAPERS.format(source=sources["papers"]))
    _apply_changes(connection, sources)


def _find_changes(
    connection: DuckDBPyConnection, sources: Mapping[str, str], before: Parts, now: Parts
) -> None:
    """Make temporary tables `gone_<table>` and `come_<table>`: rowids in `published` and source.

    A row that changed is in both. So is each row that references a row that goes: DuckDB would
    refuse to delete a row that another one still references.
    """
    for table, source in sources.items():
        mart, key = marts()[table], ", ".join(marts()[table].key)
        parts = _changed(before[table], now[table])
        connection.execute(
            f"create or replace temp table gone_{table} (place bigint);"
            f"create or replace temp table come_{table} (place bigint)"
        )
        if not parts:
            continue
        for name, relation in (("then_rows", published(mart)), ("now_rows", source)):
            connection.execute(
                f"""
                create or replace temp table {name} as
                select rows.rowid as place, {key}, hash(rows) as row_hash
                from {relation} as rows
                where list_contains($parts, {_part(mart)})
                """,
                {"parts": sorted(parts)},
            )
        connection.execute(f"""
            insert into gone_{table}
            select place from then_rows anti join now_rows using ({key}, row_hash);
            insert into come_{table}
            select place from now_rows anti join then_rows using ({key}, row_hash)
        """)
    for table in in_order(sources):
        for column, other in marts()[table].references.items():
            connection.execute(f"""
                create or replace temp table held as
                select {marts()[other].key[0]} as held_key
                from {published(marts()[other])}
                where rowid in (from gone_{other})
            """)
            for change, relation in (("gone", published(marts()[table])), ("come", sources[table])):
                connection.execute(f"""
                    insert into {change}_{table}
                    select rows.rowid from {relation} as rows
                    where rows.{column} in (from held) and rows.rowid not in (from {change}_{table})
                """)


def _apply_changes(connection: DuckDBPyConnection, sources: Mapping[str, str]) -> None:
    """First goes what goes, then comes what comes: DuckDB takes no key twice in one transaction.

    What references a paper goes before it and comes after it.
    """
    tables = [table for table in in_order(sources) if table != UNCOMPRESSED]
    for table in reversed(tables):
        _go(connection, table)
    with uncompressed(connection):
        _go(connection, UNCOMPRESSED)
        _come(connection, UNCOMPRESSED, sources[UNCOMPRESSED])
    for table in tables:
        _come(connection, table, sources[table])


def _go(connection: DuckDBPyConnection, table: str) -> None:
    connection.execute(
        f"delete from {published(marts()[table])} where rowid in (from gone_{table})"
    )


def _come(connection: DuckDBPyConnection, table: str, source: str) -> None:
    connection.execute(
        f"insert into {published(marts()[table])} by name"
        f" select rows.* from {source} as rows where rows.rowid in (from come_{table})"
    )


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> set[str]:
    return {part for part in before.keys() | now.keys() if before.get(part) != now.get(part)}


def _part(mart: Mart) -> str:
    if mart.date_column:
        return f"strftime(rows.{mart.date_column}, '%Y-%m')"
    return "rows.paper_id[:4]" if "paper_id" in mart.key else "''"


RENEWED = "renewed_papers"
_RENEWED_PAPERS = """
    create or replace temp table renewed_papers as
    select paper_id from published.marts.papers where rowid in (from gone_papers)
    union
    select paper_id from {source} where rowid in (from come_papers)
"""

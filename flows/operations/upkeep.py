"""What keeps readings safe whatever becomes of the warehouse: past months as Parquet.

raw.readings, raw.items ──▶ readings/<month>/{readings,items}.parquet   (copies; nothing is deleted)
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from duckdb import DuckDBPyConnection

from flows.settings import Settings
from flows.warehouse.database import has_table, has_warehouse, open_warehouse
from flows.warehouse.literals import literal

# A month is still read again for a while after its end; what comes later writes it anew.
SETTLES_AFTER = timedelta(days=31)


def archive_readings(settings: Settings, now: datetime) -> list[str]:
    """Write each past month of readings that has no whole archive yet; the months written.

    An archive is one folder, whole or not there, in a format that outlives any database.
    """
    settled = (now.astimezone(UTC) - SETTLES_AFTER).date().replace(day=1)
    if not has_warehouse(settings):
        return []
    with open_warehouse(settings) as connection:
        if not has_table(connection, "raw", "items"):
            return []
        counts = connection.execute(_MONTHS, [settled]).fetchall()
        written = []
        for month, count in counts:
            folder = settings.home / "readings" / month
            if _archived(connection, folder) != count:
                _write(connection, folder, month)
                written.append(month)
    return written


_MONTHS = """
    select strftime(list_date, '%Y-%m') as list_month, count(*)
    from raw.readings
    where list_date < ?
    group by list_month
    order by list_month
"""


def _archived(connection: DuckDBPyConnection, folder: Path) -> int | None:
    """How many readings an archive holds; None where there is none."""
    file = folder / "readings.parquet"
    if not file.exists():
        return None
    counted = connection.execute("select count(*) from read_parquet(?)", [str(file)]).fetchone()
    return int(counted[0]) if counted else None


def _write(connection: DuckDBPyConnection, folder: Path, month: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for table in ("items", "readings"):  # the readings last: their number says that all is there
        file = folder / f"{table}.parquet"
        draft = file.with_suffix(".new")
        found = f"select * from raw.{table} where strftime(list_date, '%Y-%m') = '{month}'"
        connection.execute(f"copy ({found}) to {literal(draft)} (format parquet, codec zstd)")
        draft.replace(file)

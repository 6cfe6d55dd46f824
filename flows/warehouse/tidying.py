"""What keeps a warehouse small: its log written into its file, or a lake's small files merged."""

from datetime import datetime, timedelta

from duckdb import DuckDBPyConnection

from flows.settings import Settings
from flows.warehouse import lake
from flows.warehouse.database import has_warehouse, open_warehouse
from flows.warehouse.publications import newest_publication

# How long a snapshot without a name can be gone back to.
SNAPSHOTS_KEPT = timedelta(days=7)
# No reader is at one query for as long, and no writer at one file: what nobody knows of is older.
READERS_DONE = timedelta(days=1)


def tidy(settings: Settings, now: datetime) -> int:
    """Make the warehouse as small as it can be while others read it; how many bytes it has then.

    Of a lake the newest publication stays as it was, and what older ones alone needed goes with
    them after SNAPSHOTS_KEPT.
    """
    if not has_warehouse(settings):
        return 0
    if settings.lake_catalog:
        publication = newest_publication(settings)
        with open_warehouse(settings) as connection:
            return _tidy_lake(connection, publication.snapshot if publication else -1, now)
    with open_warehouse(settings) as connection:
        connection.execute("checkpoint")
    return settings.warehouse_path.stat().st_size


def _tidy_lake(connection: DuckDBPyConnection, published: int, now: datetime) -> int:
    times = {"published": published, "before": now - SNAPSHOTS_KEPT}
    old = [row[0] for row in connection.execute(_OLD_SNAPSHOTS, times).fetchall()]
    if old:
        connection.execute(f"call ducklake_expire_snapshots('{lake.NAME}', versions => {old})")
    connection.execute(f"call ducklake_merge_adjacent_files('{lake.NAME}')")
    connection.execute(f"call ducklake_rewrite_data_files('{lake.NAME}')")
    for clean in ("ducklake_cleanup_old_files", "ducklake_delete_orphaned_files"):
        before = (now - READERS_DONE).isoformat()
        connection.execute(f"call {clean}('{lake.NAME}', older_than => '{before}'::timestamptz)")
    (size,) = connection.execute(_SIZE).fetchall()[0]
    return int(size)


_OLD_SNAPSHOTS = f"""
    select snapshot_id
    from {lake.NAME}.snapshots()
    where snapshot_time < $before and snapshot_id <> $published
    qualify snapshot_id < max(snapshot_id) over ()
"""
_SIZE = f"""
    select coalesce(sum(file_size_bytes + delete_file_size_bytes), 0)::bigint
    from ducklake_table_info('{lake.NAME}')
"""

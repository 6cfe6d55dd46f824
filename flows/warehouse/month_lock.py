"""Who is at which month of a backfill that several workers divide among them.

A month is locked while somebody is at it. The lock ends with its holder, whatever kills that: what
a dead one left is free at once. Losing it costs no more than dates that are read twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from flows.file_lock import try_to_lock
from flows.settings import Settings
from flows.warehouse.database import told


@contextmanager
def month_lock(settings: Settings, month: str) -> Iterator[bool]:
    """Give whether this month (`2026-08`) is the block's own; False where somebody is at it.

    Of a file warehouse it is known in its home, of a lake among all its hosts.

    Raises:
        WarehouseAwayError: PostgreSQL, which keeps the lake's catalog, does not answer.
    """
    folder = settings.home / "backfill"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{month}.lock").open("a") as file:
        if not try_to_lock(file):
            yield False
        elif settings.lake_catalog is None:
            yield True
        else:
            with told(), _month_of_lake(settings.lake_catalog, month) as is_ours:
                yield is_ours


@contextmanager
def _month_of_lake(catalog: str, month: str) -> Iterator[bool]:
    import psycopg

    name = f"Daily Papers, a backfill of {month}"
    key = int.from_bytes(sha256(name.encode()).digest()[:8], signed=True)
    with psycopg.connect(catalog, autocommit=True) as connection:
        row = connection.execute("select pg_try_advisory_lock(%s)", [key]).fetchone()
        yield bool(row and row[0])

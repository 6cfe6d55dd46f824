"""Who is at which share of a work that several processes divide among them.

A share is locked while somebody is at it. The lock ends with its holder, whatever kills that: what
a dead one left is free at once. Losing it costs no more than work done twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from flows.file_lock import try_to_lock
from flows.settings import Settings
from flows.warehouse.database import told


@contextmanager
def share(settings: Settings, name: str) -> Iterator[bool]:
    """Give whether the share of this name is the block's own; False where somebody is at it.

    Of a file warehouse it is known in its home, of a lake among all its hosts.

    Raises:
        WarehouseAwayError: PostgreSQL, which keeps the lake's catalog, does not answer.
    """
    folder = settings.home / "shares"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("a") as file:
        if not try_to_lock(file):
            yield False
        elif settings.lake_catalog is None:
            yield True
        else:
            with told(), _share_of_lake(settings.lake_catalog, name) as is_ours:
                yield is_ours


@contextmanager
def _share_of_lake(catalog: str, name: str) -> Iterator[bool]:
    import psycopg

    key = int.from_bytes(sha256(f"papers share {name}".encode()).digest()[:8], signed=True)
    with psycopg.connect(catalog, autocommit=True) as connection:
        row = connection.execute("select pg_try_advisory_lock(%s)", [key]).fetchone()
        yield bool(row and row[0])

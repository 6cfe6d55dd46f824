"""The newest publication kept open, for whoever asks it many times a second.

Opening the file takes 15 ms, and what was read of it is forgotten when it is closed. A publication
replaces the file by another: who has the old one open reads that to the end.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from flows.publication.published import (
    NOTHING_PUBLISHED,
    OLDER,
    NotPublishedError,
    OlderPublicationError,
)
from flows.warehouse.database import CONFIG, lacking
from flows.warehouse.literals import literal

# By default DuckDB caches as much of the file as the machine has memory for, and reads a whole
# table where a query asks for more than 50 of its rows.
_BOUNDED: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "1GB",
    "dynamic_or_filter_threshold": 2_000,
}

Publication = tuple[int, int, int]


def now_published(path: Path) -> Publication | None:
    """What identifies the publication at this path (inode, time, size); None where there is none.

    Ask before you read, and keep it with what you read: where it differs later, read again.
    """
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


@dataclass
class KeptOpen:
    """The published file at this path, opened anew when it is another file than before."""

    path: Path
    _publication: Publication | None = None
    _root: DuckDBPyConnection | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def opened(self) -> Iterator[DuckDBPyConnection]:
        """A connection to the newest publication, to read only; each block has one of its own.

        Raises:
            NotPublishedError: there is no publication yet.
            OlderPublicationError: the block asked for a table or column that the file lacks.
        """
        with self._newest().cursor() as connection, lacking(OlderPublicationError(OLDER)):
            connection.execute("use published; set TimeZone = 'UTC'")
            yield connection

    def _newest(self) -> DuckDBPyConnection:
        with self._lock:
            publication = now_published(self.path)
            if publication is None:
                raise NotPublishedError(NOTHING_PUBLISHED)
            if self._root is None or self._publication != publication:
                # An instance of its own: one that knows the old file under this path would give
                # that. The old one ends with the last block that reads from it.
                root = duckdb.connect(config=CONFIG | _BOUNDED)
                root.execute(f"attach {literal(self.path)} as published (read_only)")
                self._root, self._publication = root, publication
            return self._root

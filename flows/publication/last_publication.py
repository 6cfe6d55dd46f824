"""What the last publication was made of, kept beside its file as `papers.json`.

The next publication brings a copy of that file up to date, where it is still as it was put out and
was made as one would be made now.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from flows.publication.catalog import marts
from flows.publication.changes import Parts

# A row that changed leaves a dead one. A file that has grown so much is made anew.
MOST_GROWTH = 1.3


@dataclass(frozen=True)
class LastPublication:
    """What it was `made_with`, its `parts`, and the name of the Parquet folder put out with it.

    `used` are the bytes of the file that are in use, `used_anew` those of when it was made anew.
    """

    made_with: str
    parts: Parts
    parquet: str
    used: int
    used_anew: int

    @property
    def has_grown(self) -> bool:
        """Whether so much of the file is dead or new that it is to be made anew."""
        return self.used > MOST_GROWTH * self.used_anew


def last_publication(database: Path, made_with: str) -> LastPublication | None:
    """The record of what `database` was made of.

    None where there is no record, where the file was changed since, or where it was made with other
    code or settings than one would be made with now.
    """
    try:
        read = json.loads(_record(database).read_text(encoding="utf-8"))
        is_as_put_out = read.pop("file") == _file(database)
        last = LastPublication(**read)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return last if is_as_put_out and last.made_with == made_with else None


def remember_publication(database: Path, last: LastPublication) -> None:
    """Keep what `database`, which has just been put out, was made of."""
    draft = database.with_suffix(".json.new")
    record = asdict(last) | {"file": _file(database)}
    draft.write_text(json.dumps(record), encoding="utf-8")
    draft.replace(_record(database))


def made_with(*parts: str) -> str:
    """All that a publication depends on beside the rows of the warehouse, as one hash.

    What is said of the tables and the library that writes them are part of it; the rest is given.
    """
    everything = (*parts, version("duckdb"), marts())
    return hashlib.sha256(repr(everything).encode()).hexdigest()


def _record(database: Path) -> Path:
    return database.with_suffix(".json")


def _file(database: Path) -> list[int]:
    """What changes with each change of the file: its size, and the time in nanoseconds."""
    found = database.stat()
    return [found.st_size, found.st_mtime_ns]

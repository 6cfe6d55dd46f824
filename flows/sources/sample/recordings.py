"""Recordings: a folder of the Hub's responses, `<list date>/<read time>.json.gz`, written and read.

Dates that were asked for and had no papers stand in the folder's `empty.txt`, one a line.
"""

import gzip
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path

from flows.sources.sample.days import Item, items_at, size_of

_READ_TIME = "%Y-%m-%dT%H%M%SZ"


def write_recordings(
    folder: Path,
    list_dates: Iterable[date],
    times: Sequence[timedelta],
    size: int | None = None,
) -> int:
    """Record the sample days of these dates at these times; gives the number of items written.

    A time is counted from the list date's midnight UTC: timedelta(hours=8) reads the growing list,
    timedelta(hours=27) that of the closed day. `size` fixes the size of each day that has papers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    empty = []
    for list_date in list_dates:
        if not size_of(list_date):
            empty.append(f"{list_date}\n")
            continue
        day = folder / str(list_date)
        day.mkdir(exist_ok=True)
        for after_midnight in times:
            read_at = datetime.combine(list_date, time(), UTC) + after_midnight
            items = items_at(list_date, read_at, size)
            text = json.dumps(items, ensure_ascii=False, separators=(",", ":"))
            path = day / f"{read_at:{_READ_TIME}}.json.gz"
            path.write_bytes(gzip.compress(text.encode(), compresslevel=1, mtime=0))
            count += len(items)
    if empty:
        (folder / "empty.txt").write_text("".join(empty), encoding="utf-8")
    return count


def recorded_at(folder: Path, list_date: date, now: datetime) -> list[Item]:
    """This date's newest recording at or before `now`; without one, no items."""
    newest = f"{now.astimezone(UTC):{_READ_TIME}}.json.gz"
    files = [file for file in (folder / str(list_date)).glob("*.json.gz") if file.name <= newest]
    return [*_items_of(max(files))] if files else []


@cache
def _items_of(file: Path) -> list[Item]:
    items: list[Item] = json.loads(gzip.decompress(file.read_bytes()))
    return items

"""Loads that are cut short: each row arrives once, whatever was staged before the crash."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dlt.common.storages.load_package import PackageStorage

from flows.sources.hub import Answer
from flows.sources.pipeline import Reading, ReadingPipeline
from flows.sources.sample.days import items_at
from flows.sources.verdict import Verdict
from flows.warehouse.database import connect

DAY, READ_AT = date(2026, 8, 20), datetime(2026, 8, 21, 2, 31, tzinfo=UTC)


class Killed(BaseException):
    """What no clean-up catches."""


def reading() -> Reading:
    items = items_at(DAY, READ_AT, 5)
    answer = Answer(DAY, READ_AT, tuple(items), 200, page_count=1)
    return Reading(answer, Verdict("complete", "All read.", is_whole=True), "hub", "a load")


@contextmanager
def killed_after(job: str) -> Iterator[None]:
    """Die when this job is committed in the database, and before dlt has noted that anywhere."""
    complete = PackageStorage.complete_job

    def die(self: PackageStorage, load_id: str, file_name: str) -> Any:
        table, *_, kind = file_name.split(".")
        if f"{table}.{kind}" == job:
            raise Killed
        return complete(self, load_id, file_name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PackageStorage, "complete_job", die)
        patch.setattr(PackageStorage, "save_pending_transition", lambda *_, **__: None)
        yield


@pytest.mark.parametrize("job", ["readings.parquet", "items.parquet", "readings.sql", "items.sql"])
def test_a_load_cut_short_after_any_job_is_finished_with_each_row_once(
    tmp_path: Path, job: str
) -> None:
    warehouse, folder = tmp_path / "warehouse.duckdb", tmp_path / "dlt"
    opened = partial(connect, warehouse)
    with killed_after(job), pytest.raises(Killed):
        ReadingPipeline(opened, folder).load([reading()])
    ReadingPipeline(opened, folder).finish_pending()
    with duckdb.connect(str(warehouse)) as connection:
        rows = connection.execute(
            "select (select count(*) from raw.readings), list(position order by position)"
            " from raw.items"
        ).fetchall()
    assert rows == [(1, [0, 1, 2, 3, 4])]

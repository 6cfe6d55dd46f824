"""A lake whose folder is full says so by name; nothing is lost, and the next run goes on."""

import os
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from flows.extract import load_readings
from flows.outcome import EXIT_BLOCKED
from flows.settings import Settings
from flows.sources.hub import Answer
from flows.sources.pipeline import Reading
from flows.sources.verdict import Verdict
from flows.warehouse.database import open_warehouse
from flows.warehouse.lake_trouble import LakeError
from tests.support.clock import CLOSED, DAY
from tests.support.dbt_build import item
from tests.support.lakes import Lake


@pytest.fixture
def small_disk(lake: Lake) -> Iterator[Path]:
    """The folder of the lake on a disk of its own, with room for a few small files."""
    folder = Path(lake.storage)
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "papers", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small disk can be mounted by root alone")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _reading(number: int, size: int) -> Reading:
    read_at = CLOSED + timedelta(minutes=number)
    # Words that nothing makes shorter, so that a reading of a hundred papers is 400 kB.
    items = tuple(item(f"2608.{n:05}", summary=os.urandom(2000).hex()) for n in range(size))
    verdict = Verdict("complete", "All read.", is_whole=True)
    return Reading(Answer(DAY, read_at, items, 200), verdict, "hub", f"load {number}")


def test_a_full_disk_is_told_as_the_storage_and_costs_nothing(
    lake: Lake, small_disk: Path, tmp_path: Path
) -> None:
    settings = Settings.model_validate({"home": tmp_path / "home", **lake.settings})

    def loaded() -> list[tuple[int, int]]:
        with open_warehouse(settings) as connection:
            return connection.execute(_LOADED).fetchall()

    load_readings([_reading(1, size=3)], settings)
    with pytest.raises(LakeError) as stop:
        load_readings([_reading(2, size=100)], settings)
    assert str(stop.value).startswith("The lake's storage is full")
    assert stop.value.exit_code == EXIT_BLOCKED
    assert loaded() == [(1, 3)]

    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    load_readings([_reading(2, size=100)], settings)
    assert loaded() == [(2, 103)]


_LOADED = """
    select (select count(*) from raw.readings), count(*) from raw.items
    semi join raw.readings using (reading_id)
"""

"""Two hosts bring different dates into one lake at once; one is killed, and a reader looks on."""

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from flows.outcome import EXIT_LATER
from flows.publish import fetch
from flows.settings import Settings
from flows.sources.sample_hub import SampleHub
from flows.warehouse.database import open_warehouse
from tests.support.fork_server import ForkServer, with_prefect
from tests.support.lakes import Lake
from tests.support.published_tables import published_marts
from tests.support.work import wait_for_work

HALVES = {"one": ("2026-08-03", "2026-08-08"), "other": ("2026-08-09", "2026-08-13")}
ALL = ("2026-08-03", "2026-08-13")
NOW = datetime(2026, 8, 14, 2, 31, tzinfo=UTC)
# A seed takes a minute, and two where others work beside it; twenty are asked by hand.
SEEDS = range(int(os.environ.get("TWO_WORKERS_SEEDS", "2")))
Tables = dict[str, list[tuple[object, ...]]]


@dataclass(frozen=True)
class Workers:
    """Backfills on demand, each a process of its own, and what one alone makes of all dates."""

    server: ForkServer
    url: str
    expected: Tables
    seconds: float  # of processor time that the one alone took

    def start(self, home: Path, dates: tuple[str, str], lake: dict[str, str]) -> int:
        return _start(self.server, self.url, home, dates, lake)


def _start(
    server: ForkServer, url: str, home: Path, dates: tuple[str, str], lake: dict[str, str]
) -> int:
    home.mkdir(exist_ok=True)
    settings = {"PAPERS_HUB_URL": url, "PAPERS_EMBEDDING_MODEL": "none", **lake}
    return server.start(home=str(home), settings=settings, first=dates[0], last=dates[1])


@pytest.fixture(scope="module")
def workers(prefect: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    folder = tmp_path_factory.mktemp("workers")
    with (
        SampleHub(now=NOW) as hub,
        with_prefect("tests.support.killed_backfill", folder) as server,
    ):
        work = wait_for_work(_start(server, hub.url, folder / "alone", ALL, {}), math.inf)
        assert server.wait() == [0]
        yield Workers(server, hub.url, published_marts(folder / "alone"), work.seconds)


@pytest.mark.torture
@pytest.mark.parametrize("seed", SEEDS)
def test_what_two_workers_bring_is_what_one_brings_whoever_is_killed(
    seed: int, workers: Workers, lake: Lake, tmp_path: Path
) -> None:
    """Killed anywhere on its way; nobody sees a half, neither meanwhile nor at the end."""
    chance = Random(seed)  # noqa: S311
    killed = chance.choice(list(HALVES))
    moment = chance.uniform(0.05, 1) * workers.seconds
    reader = _reader(tmp_path / "reader", lake)
    head_start = chance.uniform(0, 0.6) * workers.seconds  # so that some publish a half before
    processes = dict[str, int]()
    for name, dates in HALVES.items():
        processes[name] = workers.start(tmp_path / name, dates, lake.environment)
        wait_for_work(processes["one"], head_start)
    was_under_way = wait_for_work(processes[killed], moment).is_under_way
    if was_under_way:
        os.kill(processes[killed], signal.SIGKILL)
        workers.start(tmp_path / killed, HALVES[killed], lake.environment)
    _until_done(workers, [*HALVES, killed][: 2 + was_under_way], lake, tmp_path)

    said, _ = reader.communicate(timeout=60)
    seen = json.loads(said)
    print(f"seed {seed}: {killed} killed at {moment:.1f} s ({was_under_way}); {seen}")  # noqa: T201
    assert seen["wrong"] == []
    assert seen["dates"][-1] == 11
    assert seen["reads"] > len(seen["dates"])
    _assert_nothing_is_left_of_a_half(Settings.model_validate({"home": tmp_path, **lake.settings}))
    ended = Settings.model_validate({"home": tmp_path / "end", **lake.settings})
    assert fetch(ended) is not None
    found = published_marts(ended.home)
    assert found.keys() == workers.expected.keys()
    assert {name for name in found if found[name] != workers.expected[name]} == set()


def _until_done(workers: Workers, names: list[str], lake: Lake, folder: Path) -> None:
    """Wait for these, and begin again who found the lake in use for too long."""
    statuses = dict(zip(names, workers.server.wait(), strict=True))  # of a name, its last process
    while busy := [n for n, s in statuses.items() if os.waitstatus_to_exitcode(s) == EXIT_LATER]:
        for name in busy:
            workers.start(folder / name, HALVES[name], lake.environment)
        statuses |= dict(zip(busy, workers.server.wait(), strict=True))
    assert set(statuses.values()) == {0}, statuses


def _reader(home: Path, lake: Lake) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.lake_reader"],
        env=os.environ | lake.environment | {"PAPERS_HOME": str(home)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def _assert_nothing_is_left_of_a_half(settings: Settings) -> None:
    """Each reading has all of its items and both gates; no item is of no reading."""
    with open_warehouse(settings) as connection:
        assert connection.execute(_HALVES).fetchall() == []


_HALVES = """
    select reading_id from raw.items anti join raw.readings using (reading_id)
    union
    select reading_id from raw.readings
    where item_count <> (
        select count(*) from raw.items where items.reading_id = readings.reading_id
    )
    union
    select reading_id from audit.judged_readings
    where not is_admitted and verdict in ('complete', 'empty')
"""

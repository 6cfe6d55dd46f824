"""Two workers of a pool on one lake read the months of a backfill; one is killed in the midst."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import psycopg
import pytest

from flows.file_lock import words_of_holder
from flows.publish import fetch
from flows.settings import Settings
from tests.support.lakes import Lake
from tests.support.prefect_api import children, eventually
from tests.support.prefect_processes import Processes, variables_of_server, without_settings
from tests.support.published_tables import published_marts
from tests.support.slow_hub import SlowHub

FIRST, LAST = "2026-05-11", "2026-08-13"
MONTHS = 4
SEEDS = range(1)


@pytest.fixture
def hub() -> Iterator[SlowHub]:
    with SlowHub(now=datetime(2026, 8, 14, 2, 31, tzinfo=UTC)) as started:
        yield started


@pytest.fixture
def processes(postgres: str, tmp_path: Path) -> Iterator[Processes]:
    """A server on PostgreSQL; nothing of this machine's own settings reaches it."""
    with psycopg.connect(postgres % "postgres", autocommit=True) as connection:
        connection.execute("drop database if exists prefect_of_pool")
        connection.execute("create database prefect_of_pool")
    (tmp_path / "server").mkdir()
    started = Processes(
        without_settings()
        | variables_of_server(postgres, "prefect_of_pool")
        | {
            "PAPERS_HOME": str(tmp_path / "server"),
            "PAPERS_EMBEDDING_MODEL": "none",
            "PREFECT_HOME": str(tmp_path / "server" / "prefect"),
        }
    )
    try:
        yield started
    finally:
        started.stop()


def backfill(home: Path, environment: dict[str, str], *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "flows", "backfill", FIRST, LAST, *more],
        env=environment | {"PAPERS_HOME": str(home)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


@pytest.mark.torture
@pytest.mark.parametrize("seed", SEEDS)
def test_a_backfill_by_month_is_whole_whichever_worker_dies(
    seed: int, processes: Processes, lake: Lake, hub: SlowHub, tmp_path: Path
) -> None:
    url = {"PAPERS_HUB_URL": hub.url}
    alone = backfill(tmp_path / "alone", processes.environment | url | {"PREFECT_API_URL": ""})
    said, _ = alone.communicate(timeout=300)
    assert alone.returncode == 0, said

    shared = url | lake.environment
    processes.start_server_with_pool()
    hub.pause = 3.0
    workers = {
        name: processes.start(
            "worker", "start", "--pool", "papers", "--limit", "1", "--name", name,
            **shared, PAPERS_HOME=str(tmp_path / name),
        )
        for name in ("first", "second")
    }  # fmt: skip
    leader = backfill(tmp_path / "leader", processes.environment | shared, "--by-month")
    processes.end_with_test(leader)

    def at_work() -> list[str]:
        """The workers that are at a month."""
        locks = {name: (tmp_path / name).glob("backfill/*.lock") for name in workers}
        return [n for n in workers if any(words_of_holder(lock) is not None for lock in locks[n])]

    moment = Random(seed)  # noqa: S311  anywhere in a month
    eventually(at_work, "a worker at a month")
    time.sleep(moment.uniform(0, 12))
    killed = moment.choice(at_work() or list(workers))
    for process in (workers[killed], *children(workers[killed])):
        os.kill(process, signal.SIGKILL)
    said, _ = leader.communicate(timeout=500)
    assert leader.returncode == 0, said
    assert len(re.findall(r"^month ", said, re.MULTILINE)) == MONTHS

    reader = Settings.model_validate({"home": tmp_path / "reader", **lake.settings})
    assert fetch(reader) is not None
    once, by_many = published_marts(tmp_path / "alone"), published_marts(reader.home)
    assert once.keys() == by_many.keys()
    assert {name for name in once if once[name] != by_many[name]} == set()

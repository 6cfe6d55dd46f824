"""Two hosts bring different dates into one lake at once, and one of them is killed."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from flows.outcome import EXIT_LATER
from flows.publish import fetch
from flows.settings import Settings
from flows.sources.sample_hub import SampleHub
from tests.support.lakes import Lake
from tests.support.published_tables import published_tables

FIRST_HALF, SECOND_HALF = ("2026-08-03", "2026-08-09"), ("2026-08-10", "2026-08-13")
ALL = (FIRST_HALF[0], SECOND_HALF[1])
SEEDS = range(1)  # each takes three minutes where others work beside it


def _backfill(home: Path, dates: tuple[str, str], others: dict[str, str]) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PAPERS_", "PREFECT_"))}
    environment |= others | {"PAPERS_HOME": str(home), "PAPERS_EMBEDDING_MODEL": "none"}
    return subprocess.Popen(
        [sys.executable, "-m", "flows", "backfill", *dates],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip


def _marts(home: Path) -> dict[str, list[tuple[object, ...]]]:
    tables = published_tables(home)
    return {name: rows for name, rows in tables.items() if name.startswith("marts.")}


@pytest.mark.torture
@pytest.mark.parametrize("seed", SEEDS)
def test_what_two_workers_bring_is_what_one_brings_whoever_is_killed(
    seed: int, lake: Lake, tmp_path: Path
) -> None:
    moment = Random(seed).uniform(8, 40)  # noqa: S311  anywhere from its start to its build
    now = datetime(2026, 8, 14, 2, 31, tzinfo=UTC)
    with SampleHub(now=now) as hub:
        url = {"PAPERS_HUB_URL": hub.url}
        alone = _backfill(tmp_path / "alone", ALL, url)
        said, _ = alone.communicate(timeout=300)
        assert alone.returncode == 0, said

        shared = url | lake.environment
        killed = _backfill(tmp_path / "one", FIRST_HALF, shared)
        other = _backfill(tmp_path / "other", SECOND_HALF, shared)
        time.sleep(moment)
        os.killpg(killed.pid, signal.SIGKILL)
        killed.communicate()
        while True:
            again = _backfill(tmp_path / "one", FIRST_HALF, shared)
            said, _ = again.communicate(timeout=400)
            if again.returncode != EXIT_LATER:
                break
        assert again.returncode == 0, said
        said, _ = other.communicate(timeout=400)
        assert other.returncode == 0, said

    reader = Settings.model_validate({"home": tmp_path / "reader", **lake.settings})
    assert fetch(reader) is not None
    once, twice = _marts(tmp_path / "alone"), _marts(reader.home)
    assert once.keys() == twice.keys()
    assert {name for name in once if once[name] != twice[name]} == set()

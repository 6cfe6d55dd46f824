"""kill -9 at eight points of a backfill, two in a row, then again: the undisturbed tables."""

import math
import os
import signal
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from flows.sources.sample_hub import SampleHub
from tests.support.clock import CLOSED
from tests.support.fork_server import ForkServer, with_prefect
from tests.support.published_tables import published_tables
from tests.support.work import wait_for_work

FIRST, LAST = date(2026, 8, 1), date(2026, 8, 20)
HOMES, KILLS = 4, 2
POINTS = HOMES * KILLS


@pytest.fixture
def fork_server(
    prefect: None, hub: SampleHub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ForkServer]:
    with with_prefect(
        "tests.support.killed_backfill", tmp_path_factory.mktemp("fork_server")
    ) as server:
        yield server


def _backfill(server: ForkServer, hub: SampleHub, home: Path, until: float) -> tuple[float, bool]:
    """Backfill until it has worked so long; the time it worked, and whether it was killed."""
    home.mkdir(exist_ok=True)
    process = server.start(
        home=str(home),
        settings={"PAPERS_HUB_URL": hub.url, "PAPERS_EMBEDDING_MODEL": "none"},
        first=str(FIRST),
        last=str(LAST),
        now=CLOSED.isoformat(),
    )
    work = wait_for_work(process, until)
    if work.is_under_way:
        os.kill(process, signal.SIGKILL)
    (status,) = server.wait()
    assert status in (0, signal.SIGKILL)
    return work.seconds, os.WIFSIGNALED(status)


@pytest.mark.torture
def test_a_backfill_killed_at_any_of_eight_points_and_run_again_ends_as_undisturbed(
    fork_server: ForkServer, hub: SampleHub, tmp_path: Path
) -> None:
    length, _ = _backfill(fork_server, hub, tmp_path / "undisturbed", math.inf)
    expected = published_tables(tmp_path / "undisturbed")
    assert len(expected["marts.list_readings"]) == (LAST - FIRST).days + 1
    killed, unpublished = 0, 0
    for number in range(HOMES):
        home = tmp_path / f"killed-{number}"
        done = 0.0  # of its work: the second backfill of a home has only the rest to do
        for point in range(number, POINTS, HOMES):
            at = length * (point + 0.5) / POINTS
            killed += _backfill(fork_server, hub, home, at - done)[1]
            done = at
            before = published_tables(home)
            assert before in ({}, expected), f"half a publication after point {point}"
            unpublished += not before
        assert not _backfill(fork_server, hub, home, math.inf)[1]
        assert published_tables(home) == expected, f"after the kills of {home.name}"
    assert killed >= POINTS * 0.7, "most kills must hit a backfill that is under way"
    assert unpublished >= POINTS * 0.5

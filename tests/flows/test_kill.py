"""kill -9 at twenty points of a run, then the same run again: the tables of an undisturbed run."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.sources.sample_hub import SampleHub
from tests.flows.conftest import CLOSED, DAY
from tests.flows.published_tables import published_tables

POINTS = 20


class Runs:
    """The zygote as the test drives it."""

    def __init__(self, process: "subprocess.Popen[str]", hub: SampleHub) -> None:
        self._process, self._hub = process, hub

    def start(self, home: Path) -> int:
        order = {
            "home": str(home), "hub_url": self._hub.url,
            "day": str(DAY), "now": CLOSED.isoformat(),
        }  # fmt: skip
        return int(self._say(json.dumps(order)))

    def wait(self) -> int:
        return int(self._say(""))

    def _say(self, line: str) -> str:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()


@pytest.fixture
def runs(prefect: None, hub: SampleHub, tmp_path: Path) -> Iterator[Runs]:
    from prefect.settings import PREFECT_API_URL

    environment = os.environ | {
        "PREFECT_API_URL": str(PREFECT_API_URL.value()),
        "PREFECT_HOME": str(tmp_path / "prefect"),
    }
    command = [sys.executable, "-m", "tests.flows.zygote", str(tmp_path / "parsed")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield Runs(process, hub)
        assert process.stdin
        process.stdin.close()


def test_a_run_killed_at_any_of_twenty_points_and_run_again_ends_as_undisturbed(
    runs: Runs, tmp_path: Path
) -> None:
    length = 0.0
    for name in ("first", "undisturbed"):  # the first one is slower than all that follow
        began = time.monotonic()
        runs.start(tmp_path / name)
        assert runs.wait() == 0
        length = time.monotonic() - began
    expected = published_tables(tmp_path / "undisturbed")
    assert len(expected["marts.listings"]) > 0
    killed, unpublished = 0, 0
    for point in range(POINTS):
        home = tmp_path / f"killed-{point}"
        process = runs.start(home)
        time.sleep(length * (point + 0.5) / POINTS)
        os.kill(process, signal.SIGKILL)
        killed += os.WIFSIGNALED(runs.wait())
        before = published_tables(home)
        assert before in ({}, expected), f"half a publication after point {point}"
        unpublished += before == {}
        runs.start(home)
        assert runs.wait() == 0
        assert published_tables(home) == expected, f"after a kill at point {point}"
        issue = home / "issues" / f"{DAY}-daily"
        assert len(list(issue.iterdir())) == 5
        assert [folder.name for folder in issue.parent.iterdir()] == [issue.name]
    assert killed >= POINTS * 0.7, "most kills must hit a run that is under way"
    assert unpublished >= POINTS * 0.5

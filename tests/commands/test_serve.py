"""`papers serve` as an operator meets it: real processes, from an empty home, killed, stopped."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import requests

from flows.runs.names import papers_of
from flows.runs.terminal import served_api
from flows.settings import Settings
from flows.sources.sample_hub import SampleHub
from tests.support.prefect_api import PrefectApi, children, eventually, free_port, is_alive

PAPERS = str(Path(sys.executable).with_name("papers"))
BERLIN = ZoneInfo("Europe/Berlin")


class Served:
    """`papers serve` of one home, started as often as a test likes."""

    def __init__(self, home: Path, hub_url: str) -> None:
        self.home, self.pages_port, ui_port = home, free_port(), free_port()
        self.pages, self.ui = (f"http://127.0.0.1:{port}" for port in (self.pages_port, ui_port))
        self.api = PrefectApi(f"{self.ui}/api")
        self._environment = os.environ | {
            "PAPERS_HOME": str(home),
            "PAPERS_HUB_URL": hub_url,
            "PAPERS_TIMEZONE": "Europe/Berlin",
            "PAPERS_SCHEDULE": "45 7 * * 2-6",
            # The clock is the real one, and on a Sunday the newest list is of Friday.
            "PAPERS_ISSUE_MAX_AGE_HOURS": "500",
            "PREFECT_SERVER_API_PORT": str(ui_port),
        }
        self.process = self._command("serve", "--port", str(self.pages_port))

    def again(self) -> None:
        """Start it afresh."""
        self.process = self._command("serve", "--port", str(self.pages_port))

    def refused(self) -> tuple[int, str]:
        """The exit code of a second start beside the first, and what it says."""
        ended = subprocess.run(
            [PAPERS, "serve"], env=self._environment, capture_output=True, text=True, check=False
        )
        return ended.returncode, ended.stderr

    def child(self, name: str) -> int:
        """The process id of a child by a word of its command line; 0 while there is none."""
        for process in children(self.process.pid):
            try:
                words = Path(f"/proc/{process}/cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue  # it has just ended
            if name in words:
                return process
        return 0

    def is_up(self) -> bool:
        """Whether the server, the schedules and the pages all answer."""
        return (
            self.api.is_up()
            and len(self.api.deployments()) > 0
            and self.child("flows.deployments") > 0
            and requests.get(self.pages, timeout=10).ok
        )

    def _command(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [PAPERS, *words], env=self._environment, stdout=subprocess.PIPE, text=True
        )


@pytest.fixture
def served(own_home: Path) -> Iterator[Served]:
    with SampleHub() as hub:
        served = Served(own_home, hub.url)
        try:
            yield served
        finally:
            # What is left of a test that failed: the children end with their parent.
            served.process.kill()
            served.process.communicate()


@pytest.mark.torture
def test_one_command_from_an_empty_home_through_kills_to_a_clean_stop(served: Served) -> None:
    api = served.api
    eventually(served.is_up, "everything up")

    # The schedules, with the runs that the scheduler has really made, at Berlin's hours.
    ours = {"daily-digest", "open-list", "re-reading", "backfill", "upkeep"}
    eventually(lambda: api.deployments().keys() >= ours, "every deployment")
    eventually(lambda: api.scheduled("daily-digest"), "scheduled runs")
    (schedule,) = api.deployments()["daily-digest"]["schedules"]
    assert schedule["schedule"]["cron"] == "45 7 * * 2-6"
    for moment in api.scheduled("daily-digest"):
        due = datetime.fromisoformat(moment).astimezone(BERLIN)
        assert f"{due:%H:%M}" == "07:45"
        assert due.isoweekday() in range(2, 7)
    assert api.scheduled("backfill") == []

    # The UI, which must look for its server where it is.
    assert "Prefect" in requests.get(served.ui, timeout=30).text
    assert requests.get(f"{served.ui}/ui-settings", timeout=30).json()["api_url"] == (
        f"{served.ui}/api"
    )
    # Prefect forgets runs of long ago, which it keeps for ever by itself.
    settings = requests.get(f"{served.ui}/api/admin/settings", timeout=30).json()
    vacuum = settings["server"]["services"]["db_vacuum"]
    assert "flow_runs" in str(vacuum["enabled"])
    assert vacuum["retention_period"] == "P90D"
    code, said = served.refused()
    assert (code, "`papers serve` runs already for" in said) == (2, True)
    # What is started by hand meanwhile shows there too.
    assert served_api(Settings(home=served.home)) == f"{served.ui}/api"

    # kill -9 of it all in mid-run: the children go too, and a fresh start ends the day.
    run = api.start("daily-digest")
    eventually((served.home / "running").exists, "a run under way")
    family = children(served.process.pid)
    assert len(family) >= 4
    served.process.kill()
    served.process.communicate()
    eventually(lambda: not any(map(is_alive, family)), "the end of every child")
    served.again()
    eventually(served.is_up, "everything up again")
    _assert_whole(served, run)

    # kill -9 of each child: it is started again, and the others never notice.
    for name in ("server", "flows.deployments", "web"):
        killed = eventually(lambda name=name: served.child(name), name)  # type: ignore[misc]
        os.kill(killed, signal.SIGKILL)
        eventually(
            lambda name=name, killed=killed: served.child(name) not in (0, killed),  # type: ignore[misc]
            f"{name} started again",
        )
    eventually(served.is_up, "everything up after the kills")
    # The schedules that came back plan anew: their runs of before are gone, and the next ones come.
    eventually(lambda: api.scheduled("daily-digest"), "scheduled runs after the kills")
    assert api.run(run)["state"]["name"] == "Complete"

    # A run is under way when the operator stops it: all ends within ten seconds.
    # Of a server that was killed a moment ago the first answer may be cut off.
    stopped = eventually(lambda: api.start("open-list"), "a run to stop")
    eventually(lambda: api.run(stopped)["state"]["type"] == "RUNNING", "that run under way")
    family = children(served.process.pid)
    served.process.terminate()
    said, _ = served.process.communicate(timeout=10)
    assert served.process.returncode == 0
    assert [process for process in family if is_alive(process)] == []
    assert served_api(Settings(home=served.home)) is None
    for line in (f"Prefect UI    {served.ui}", f"reader pages  {served.pages}", "Stopping."):
        assert line in said


def _assert_whole(served: Served, run_id: UUID) -> None:
    """The run that was cut short has ended as if nothing had been, once."""
    run = served.api.ended(run_id)
    assert run["state"]["name"] == "Complete", run["state"]
    assert run["run_count"] == 2
    assert run["state"]["message"].startswith("Complete. ")
    (issue,) = (served.home / "issues").iterdir()
    day = date.fromisoformat(issue.name.removesuffix("-daily"))
    assert run["name"] == f"{papers_of(day)}: no mail. There is nobody to send to."
    assert set(run["tags"]) == {"daily-papers", "digest", str(day), "complete", "no mail"}
    keys = {f"{day}-{name}" for name in ("verdict", "digest", "gate-raw", "gate-marts")}
    assert served.api.artifacts(run_id) >= keys
    assert not (served.home / "running").exists()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PAPERS_SCHEDULE", "at nine", "PAPERS_SCHEDULE cannot be used: 'at nine' is no cron line"),
        ("PAPERS_SCHEDULE", "75 21 * * *", "PAPERS_SCHEDULE cannot be used"),
        ("PREFECT_SERVER_API_PORT", "taken", "PREFECT_SERVER_API_PORT names another."),
        ("PREFECT_SERVER_API_PORT", "no port", "PREFECT_SERVER_API_PORT cannot be used"),
    ],
)
def test_what_cannot_be_served_is_one_sentence(
    own_home: Path, name: str, value: str, sentence: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = {name: str(taken.getsockname()[1]) if value == "taken" else value}
        ended = subprocess.run(
            [PAPERS, "serve", "--port", str(free_port())],
            env=os.environ | given, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert ended.returncode == 2
    assert sentence in ended.stderr
    assert ended.stderr.count("\n") == 1

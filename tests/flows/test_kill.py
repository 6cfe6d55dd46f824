"""kill -9 at twenty points of a run, four in a row, then the run again: the undisturbed tables.

Or those of a run made twice, where a kill came after the issue: what it carried is known from the
build after it. And each reader's mail once, whatever was killed or started at the same time.
"""

import math
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from flows.mailing.database import open_mailing_database
from flows.mailing.ledger_issues import delivery_counts
from flows.mailing.subscribers import add
from flows.sources.sample_hub import SampleHub
from tests.support.clock import CLOSED, DAY
from tests.support.fork_server import ForkServer, with_prefect
from tests.support.published_tables import published_tables
from tests.support.relay import Relay
from tests.support.work import wait_for_work

HOMES, KILLS = 5, 4
POINTS = HOMES * KILLS
READERS = [f"reader{number}@example.org" for number in range(5)]


class Runs:
    """Runs in processes of their own, each home with its mailing list."""

    def __init__(self, server: ForkServer, settings: dict[str, str], readers: Path) -> None:
        self._server, self._settings, self._readers = server, settings, readers

    def start(self, home: Path) -> int:
        """Begin a run; a new home gets the mailing list."""
        if not home.exists():
            home.mkdir()
            shutil.copy(self._readers, home / "mailing.sqlite")
        return self._server.start(
            home=str(home), settings=self._settings, day=str(DAY), now=CLOSED.isoformat()
        )

    def wait(self) -> list[int]:
        return self._server.wait()

    def whole(self, home: Path) -> float:
        """Run to its end; the processor time that took, in seconds."""
        process = self.start(home)
        work = wait_for_work(process, math.inf)
        assert self.wait() == [0]
        return work.seconds

    def killed_after(self, seconds: float, home: Path) -> bool:
        """Whether a run was still under way when it had worked so long and was killed."""
        process = self.start(home)
        wait_for_work(process, seconds)
        os.kill(process, signal.SIGKILL)
        (status,) = self.wait()
        return os.WIFSIGNALED(status)


@pytest.fixture
def readers(tmp_path: Path) -> Path:
    """A mailing list to begin with."""
    path = tmp_path / "readers.sqlite"
    with closing(open_mailing_database(path)) as mailing:
        for address in READERS:
            add(mailing, address, now=CLOSED)
    return path


@pytest.fixture(scope="module")
def fork_server(prefect: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    with with_prefect("tests.support.killed_run", tmp_path_factory.mktemp("fork_server")) as server:
        yield server


@pytest.fixture
def runs(fork_server: ForkServer, hub: SampleHub, relay: Relay, readers: Path) -> Runs:
    settings = {
        "PAPERS_HUB_URL": hub.url,
        "PAPERS_MAIL_FROM": "papers@example.org",
        "PAPERS_MAIL_URL": f"smtp://127.0.0.1:{relay.port}?tls=none",
    }
    return Runs(fork_server, settings, readers)


def _assert_each_reader_has_one(relay: Relay, home: Path) -> None:
    """Or, where a kill came after DATA, none or one, and the ledger says that it is unknown."""
    with closing(open_mailing_database(home / "mailing.sqlite")) as mailing:
        states = {row.state: row.count for row in delivery_counts(mailing)}
    assert set(states) <= {"sent", "unknown"}
    assert sum(states.values()) == len(READERS)
    assert set(relay.counts.values()) == {1}
    assert states.get("sent", 0) <= len(relay.counts) <= len(READERS)
    relay.taken.clear()


def _tables_but_deliveries(home: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What is published but the count of mails: the ledger has that to the last one."""
    tables = published_tables(home)
    tables.pop("marts.digest_deliveries", None)
    return tables


@pytest.mark.torture
def test_four_runs_at_once_send_each_reader_one_mail(
    runs: Runs, relay: Relay, tmp_path: Path
) -> None:
    for _ in range(4):
        runs.start(tmp_path / "shared")
    assert runs.wait() == [0] * 4
    _assert_each_reader_has_one(relay, tmp_path / "shared")


@pytest.mark.torture
def test_runs_killed_at_any_of_twenty_points_and_run_again_end_as_undisturbed(
    runs: Runs, relay: Relay, tmp_path: Path
) -> None:
    for name in ("first", "undisturbed"):  # the first one is slower than all that follow
        length = runs.whole(tmp_path / name)
        _assert_each_reader_has_one(relay, tmp_path / name)
    assert runs.killed_after(length / 2, tmp_path / "taken-up")
    length = runs.whole(tmp_path / "taken-up")  # less than from nothing, as for most kills below
    _assert_each_reader_has_one(relay, tmp_path / "taken-up")
    expected = _tables_but_deliveries(tmp_path / "undisturbed")
    assert len(expected["marts.listings"]) > 0
    runs.start(tmp_path / "undisturbed")
    assert runs.wait() == [0]
    after_the_issue = _tables_but_deliveries(tmp_path / "undisturbed")
    assert {table for table in expected if expected[table] != after_the_issue[table]} == {
        "marts.issue_as_sent", "marts.issue_as_known_now",
    }  # fmt: skip
    killed, unpublished = 0, 0
    for number in range(HOMES):
        home = tmp_path / f"killed-{number}"
        for point in range(number, POINTS, HOMES):
            killed += runs.killed_after(length * (point + 0.5) / POINTS, home)
            before = _tables_but_deliveries(home)
            is_whole = before in (expected, after_the_issue)
            assert is_whole or before == {}, f"half a publication after point {point}"
            unpublished += not is_whole
        is_issue_made = (home / "issues" / f"{DAY}-daily").exists()
        runs.start(home)
        assert runs.wait() == [0]
        known = after_the_issue if is_issue_made else expected
        assert _tables_but_deliveries(home) == known, f"after the kills of {home.name}"
        _assert_each_reader_has_one(relay, home)
        issue = home / "issues" / f"{DAY}-daily"
        assert len(list(issue.iterdir())) == 5
        assert [folder.name for folder in issue.parent.iterdir()] == [issue.name]
    assert killed >= POINTS * 0.7, "most kills must hit a run that is under way"
    assert unpublished >= POINTS * 0.5

"""Sixty days of a fork without a server: each run on a machine that is wiped after it.

A run a night at 02:37 UTC, as the workflow has it; Sundays are left out, as GitHub leaves runs out,
and so is a week. In between a Hub that is down, runs killed at four points, and two runs at once.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path

import duckdb
import pytest

from flows.issues.periods import ends_at, newest_ended
from flows.sources.feed_day import last_list_dates, newest_closed
from flows.sources.sample_hub import SampleHub
from flows.state.keeping import CLAIM
from tests.support.fork_server import ForkServer
from tests.support.relay import Relay

FIRST, DAYS = datetime(2026, 6, 2, 2, 37, tzinfo=UTC), 60
READERS = {
    "ana@example.org": "daily",
    "ben@example.org": "daily",
    "cem@example.org": "daily,weekly,monthly",
}
LEAVES, COMES, CHANGES = "ben@example.org", "dev@example.org", 30
DIES = {
    3: "before it is kept",
    10: "kept before the mail",
    17: "amid the mail",
    24: "mailed and not kept",
}
HUB_IS_DOWN, TWO_AT_ONCE = 15, 44
MOST_MB = 6.0  # of the state after sixty days with five papers a day
OUTAGE = range(31, 38)
KEY = "a key of thirty-two characters or more"


@dataclass
class Fork:
    """The fork's repository, and what its runs read and mailed."""

    folder: Path
    server: ForkServer
    hub: SampleHub
    relay: Relay
    now: datetime = FIRST
    kept: set[str] = field(default_factory=set)  # readings that ended their extract and were kept
    run_count: int = 0

    @property
    def remote(self) -> Path:
        return self.folder / "remote.git"

    def run(self, *words: str, at: datetime | None = None, dies: str | None = None) -> int:
        """The exit code of `papers state run` on a new machine; minus the signal that killed it."""
        self.start(*words, at=at, dies=dies)
        (code,) = self.finish(dies)
        self.relay.meanwhile = None
        return code

    def start(self, *words: str, at: datetime | None = None, dies: str | None = None) -> None:
        """Begin it, on a new machine."""
        self.now = at or self.now
        self.hub.now = self.now
        self.run_count += 1
        process = self.server.start(
            words=["state", "run", *words],
            settings={
                "PAPERS_HOME": str(self.home(self.run_count)),
                "PAPERS_HUB_URL": self.hub.url,
                "PAPERS_STATE_URL": str(self.remote),
                "PAPERS_STATE_KEY": KEY,
                "PAPERS_MAIL_FROM": "papers@example.org",
                "PAPERS_MAIL_URL": f"smtp://127.0.0.1:{self.relay.port}?tls=none",
                "PAPERS_REREAD_DAYS": "2",
            },
            now=self.now.isoformat(),
            says=str(self.says),
            dies=dies if dies != "amid the mail" else None,
        )
        if dies == "amid the mail":
            before = len(self.relay.taken)

            def kill_after_the_first() -> None:
                if len(self.relay.taken) > before:
                    os.kill(process, signal.SIGKILL)

            self.relay.meanwhile = kill_after_the_first

    def finish(self, died: str | None = None) -> list[int]:
        """The exit codes of what was started; the machines' disks are wiped.

        A run that died had kept its lists before it mailed, and what grew out of papers never.
        """
        codes = [os.waitstatus_to_exitcode(status) for status in self.server.wait()]
        for number, code in enumerate(reversed(codes)):
            home = self.home(self.run_count - number)
            if died != "before it is kept" and code != 75:
                read = readings(home / "warehouse.duckdb")
                self.kept |= {each for each in read if not died or ".linked." not in each}
            shutil.rmtree(home, ignore_errors=True)
        return codes

    def home(self, number: int) -> Path:
        return self.folder / f"machine{number}"

    @property
    def says(self) -> Path:
        return self.folder / "says"

    def said(self) -> str:
        """What was said since the last time."""
        text = self.says.read_text()
        self.says.write_text("")
        return text


def readings(warehouse: Path) -> set[str]:
    """The ids of all readings in a warehouse."""
    if not warehouse.exists():
        return set()
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        rows = connection.execute("select reading_id from raw.readings").fetchall()
    return {row[0] for row in rows}


def mails(relay: Relay) -> Counter[tuple[str, str]]:
    """How many mails each reader has of each issue, by its Message-ID without the reader."""
    ids = ((to, message_from_bytes(content)["Message-ID"]) for to, content in relay.taken)
    return Counter((to, ".".join(found.strip("<").split(".")[:2])) for to, found in ids)


@pytest.fixture
def fork(prefect: None, tmp_path: Path, relay: Relay) -> Iterator[Fork]:
    from prefect.settings import PREFECT_API_URL

    (tmp_path / "parsed").mkdir()
    environment = {
        "PREFECT_API_URL": str(PREFECT_API_URL.value()),
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PAPERS_HOME": str(tmp_path / "parsed"),
    }
    server = ForkServer("tests.support.wiped_machine", environment)
    with SampleHub(now=FIRST, size=5) as hub:
        fork = Fork(tmp_path, server, hub, relay)
        subprocess.run(["git", "init", "--quiet", "--bare", fork.remote], check=True)
        yield fork
    server.stop()


def _take(fork: Fork) -> Path:
    """The state, in a home to look at."""
    home = fork.folder / "look"
    shutil.rmtree(home, ignore_errors=True)
    program = Path(sys.executable).with_name("papers")
    settings = {
        "PAPERS_HOME": str(home), "PAPERS_STATE_URL": str(fork.remote), "PAPERS_STATE_KEY": KEY,
    }  # fmt: skip
    subprocess.run([program, "state", "take"], env=os.environ | settings, check=True)
    return home


@pytest.mark.torture
def test_sixty_days_on_a_wiped_machine_each_lose_no_reading_and_mail_nobody_twice(
    fork: Fork,
) -> None:
    for address, editions in READERS.items():
        assert fork.run("subscribers", "add", address, "--editions", editions) == 0
    for n in range(DAYS):
        night = FIRST + timedelta(days=n)
        if not _is_left_out(n):
            fork.said()
            _spend(fork, n, night, later=night + CLAIM + timedelta(hours=1))
        if n == CHANGES:
            assert fork.run("subscribers", "remove", LEAVES) == 0
            assert fork.run("subscribers", "add", COMES) == 0
    home = _take(fork)
    assert fork.kept - readings(home / "warehouse.duckdb") == set()
    _assert_every_list_is_complete(home)
    _assert_everyone_has_each_issue_once(fork)
    size = sum(path.stat().st_size for path in (home / "state" / "parts").iterdir())
    assert len(fork.kept) > 2 * DAYS
    assert size < MOST_MB * 1e6, f"{size / 1e6:.2f} MB after {len(fork.kept)} readings"


def _is_left_out(n: int) -> bool:
    return (FIRST + timedelta(days=n)).weekday() == 6 or n in OUTAGE


def _spend(fork: Fork, n: int, night: datetime, later: datetime) -> None:
    """What happens in this night, and how each of its runs must end."""
    if n == HUB_IS_DOWN:
        fork.hub.fail("503")
        assert fork.run(at=night) == 1, fork.said()
        fork.hub.heal()
        assert fork.run(at=later) == 0, fork.said()
    elif n == TWO_AT_ONCE:
        fork.start(at=night)
        fork.start(at=night)
        assert sorted(fork.finish()) == [0, 75], fork.said()
    elif n in DIES:
        _die(fork, DIES[n], night, later)
    else:
        assert fork.run(at=night) == 0, (n, fork.said())


def _die(fork: Fork, where: str, night: datetime, later: datetime) -> None:
    """A run is killed; the next one waits for its claim to end, and tells what is in doubt."""
    assert fork.run(at=night, dies=where) == -signal.SIGKILL, fork.said()
    fork.said()
    assert fork.run(at=night + timedelta(hours=1)) == 75, fork.said()
    assert "goes on from the state, and this one steps back" in fork.said()
    is_in_doubt = where != "before it is kept"
    assert fork.run(at=later) == (1 if is_in_doubt else 0), fork.said()
    resume = f"issue resume {newest_closed(night)} --again unknown"
    assert (f"`papers state run {resume}` sends it" in fork.said()) is is_in_doubt
    if where == "kept before the mail":  # the relay's own log says that nobody has it
        assert fork.run(*resume.split(), at=later + timedelta(hours=1)) == 0, fork.said()


def _assert_every_list_is_complete(home: Path) -> None:
    complete = "select distinct list_date from raw.readings where verdict = 'complete'"
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        found = {row[0] for row in connection.execute(complete).fetchall()}
    last = FIRST + timedelta(days=DAYS - 1)
    first = newest_closed(FIRST)
    assert {day for day in last_list_dates(last, DAYS) if day >= first} - found == set()


def _assert_everyone_has_each_issue_once(fork: Fork) -> None:
    """But of the mailing that was killed in its midst: of that nobody has two."""
    expected: set[tuple[str, str]] = set()
    for n in range(DAYS):
        night = FIRST + timedelta(days=n)
        if _is_left_out(n):
            continue
        people = set(READERS) if n <= CHANGES else {*READERS, COMES} - {LEAVES}
        expected |= {(who, f"daily.{newest_closed(night)}") for who in people}
        for kind in ("weekly", "monthly"):
            day = newest_ended(kind, night)
            if day >= FIRST.date() and night - ends_at(kind, day) < timedelta(hours=36):
                expected.add(("cem@example.org", f"{kind}.{day}"))
    amid = f"daily.{newest_closed(FIRST + timedelta(days=17))}"
    got = mails(fork.relay)
    assert [mail for mail, count in got.items() if count != 1] == []
    assert {mail for mail in got if mail[1] == amid}
    assert {mail for mail in got if mail[1] != amid} == {one for one in expected if one[1] != amid}

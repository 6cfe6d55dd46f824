"""Many workers, as infra/compose.yaml starts them: PostgreSQL, a server, two workers, a relay.

One worker is killed with its run at the moment the first mail begins. The next run that the clock
starts finds who died holding the lock and puts that run back; the ledger says who has no mail yet.
"""

import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from flows.mail_setup import open_mailing
from flows.mailing.subscribers import add
from flows.settings import load_settings
from flows.sources.sample_hub import SampleHub
from tests.support.prefect_api import children, eventually
from tests.support.prefect_processes import Processes, variables_of_server
from tests.support.relay import Relay

READERS = [f"reader{n}@example.org" for n in range(8)]


@pytest.fixture
def processes(
    own_home: Path, postgres: str, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Processes]:
    """The environment that all of them share, as compose.yaml would give it."""
    with psycopg.connect(postgres % "postgres", autocommit=True) as connection:
        for name in ("prefect", "mailing"):
            connection.execute(f"drop database if exists {name}")
            connection.execute(f"create database {name}")
    given = variables_of_server(postgres, "prefect") | {
        "PAPERS_MAIL_FROM": "Daily Papers <papers@example.org>",
        "PAPERS_MAILING_URL": postgres % "mailing",
        "PAPERS_MAIL_URL": f"smtp://127.0.0.1:{relay.port}?tls=none",
        # The clock is the real one, and on a Sunday the newest list is of Friday.
        "PAPERS_ISSUE_MAX_AGE_HOURS": "500",
        "PREFECT_HOME": str(own_home / "prefect"),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with SampleHub() as hub:
        monkeypatch.setenv("PAPERS_HUB_URL", hub.url)
        started = Processes(os.environ.copy())
        try:
            yield started
        finally:
            started.stop()


@pytest.mark.torture
def test_a_worker_killed_in_mid_run_costs_nobody_a_mail_and_gives_nobody_two(
    processes: Processes, relay: Relay, own_home: Path
) -> None:
    with closing(open_mailing(load_settings())) as mailing:
        for address in READERS:
            add(mailing, address, now=datetime.now(UTC))
    api = processes.start_server_with_pool()
    workers = [
        processes.start("worker", "start", "--pool", "papers", "--limit", "1", "--name", name)
        for name in ("first", "second")
    ]
    killed = threading.Event()

    def kill_the_sender() -> None:
        """At the first MAIL of all: everybody is claimed, nobody's message has begun."""
        if relay.seen["MAIL"] != 1 or killed.is_set():
            return
        killed.set()
        sender = int(re.findall(r"process (\d+)", (own_home / "writer.lock").read_text())[0])
        (worker,) = [worker for worker in workers if sender in children(worker)]
        workers.remove(worker)
        family = children(worker)
        for process in (worker, *family):
            os.kill(process, signal.SIGKILL)

    relay.meanwhile = kill_the_sender
    digest = api.start("daily-digest")
    eventually(killed.is_set, "the kill in mid-run")
    assert relay.counts == {}
    assert api.run(digest)["state"]["type"] == "RUNNING"

    # What the clock starts next is any run of ours; here the reading of the open list.
    reading = api.ended(api.start("open-list"))
    assert reading["state"]["type"] == "COMPLETED", reading["state"]
    ended = api.ended(digest)
    assert ended["state"]["type"] == "COMPLETED", ended["state"]
    assert (ended["run_count"], f"sent to {len(READERS)}" in ended["state"]["message"].lower()) == (
        2, True,
    )  # fmt: skip
    assert relay.counts == dict.fromkeys(READERS, 1)
    assert not (own_home / "running").exists()

    # A late run of the same evening finds nothing owed.
    late = api.ended(api.start("daily-digest"))
    assert late["state"]["message"].startswith("Nothing is owed: ")
    assert relay.counts == dict.fromkeys(READERS, 1)

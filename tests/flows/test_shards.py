"""An issue's readers shared over a work pool: two workers, each with a home of its own."""

import os
import re
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select

from flows.mail_setup import open_mailing
from flows.mailing.csv_lines import import_csv
from flows.mailing.tables import deliveries, shared_issues
from flows.settings import load_settings
from flows.sources.sample_hub import SampleHub
from tests.support.prefect_processes import Processes, variables_of_server
from tests.support.relay import Relay

READERS = [f"reader{n}@example.org" for n in range(450)]
RATE = 12  # messages a second: so the leader alone would take longer than another one to start


@pytest.mark.torture
def test_a_run_of_a_pool_starts_another_sender_and_each_reader_has_one_mail(
    own_home: Path, tmp_path: Path, postgres: str, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(postgres % "postgres", autocommit=True) as connection:
        for name in ("prefect_pool", "mailing_pool"):
            connection.execute(f"drop database if exists {name}")
            connection.execute(f"create database {name}")
    given = variables_of_server(postgres, "prefect_pool") | {
        "PAPERS_MAIL_FROM": "Daily Papers <papers@example.org>",
        "PAPERS_MAILING_URL": postgres % "mailing_pool",
        "PAPERS_MAIL_URL": f"smtp://127.0.0.1:{relay.port}?tls=none",
        "PAPERS_MAIL_PER_SECOND": str(RATE),
        "PAPERS_MAIL_SHARDS": "2",
        "PAPERS_SECRET_KEY": "the key of all hosts",
        # The clock is the real one, and on a Sunday the newest list is of Friday.
        "PAPERS_ISSUE_MAX_AGE_HOURS": "500",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with closing(open_mailing(load_settings())) as mailing:
        assert import_csv(mailing, ["address", *READERS], now=datetime.now(UTC)).is_done
    homes = [own_home, tmp_path / "second"]
    homes[1].mkdir()
    with SampleHub() as hub:
        monkeypatch.setenv("PAPERS_HUB_URL", hub.url)
        hosts = [
            Processes(
                os.environ | {"PAPERS_HOME": str(home), "PREFECT_HOME": str(home / "prefect")}
            )
            for home in homes
        ]
        try:
            api = hosts[0].start_server_with_pool()
            for host in hosts:
                host.start("worker", "start", "--pool", "papers", "--limit", "1")
            digest = api.ended(api.start("daily-digest"))
            assert f"Sent to {len(READERS)}." in digest["state"]["message"], digest["state"]
            [other] = [run for run in api.runs() if run["name"].startswith("Sender 2 of 2, daily")]
            other = api.ended(other["id"])
        finally:
            for host in hosts:
                host.stop()

    assert digest["state"]["type"] == "COMPLETED", digest["state"]
    assert other["state"]["type"] == "COMPLETED", other["state"]
    tried = int(re.findall(r"^(\d+) messages tried from here", other["state"]["message"])[0])
    assert 0 < tried < len(READERS)
    assert relay.counts == dict.fromkeys(READERS, 1)
    assert len([home for home in homes if list((home / "issues").glob("*-daily"))]) == 1
    for home in homes:
        assert " relayed\n" in (home / "mailed.log").read_text()
    with closing(open_mailing(load_settings())) as mailing, mailing.read() as connection:
        senders = set(connection.scalars(select(deliveries.c.claimed_by)))
        assert len(senders) == 2
        assert not connection.execute(select(shared_issues)).all()

"""`papers check` as cron calls it: its exit code and its sentence, whatever state things are in."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from flows.mailing.database import Mailing
from flows.operations.days import record_days
from flows.warehouse.database import connect
from tests.operations.conftest import mails
from tests.support.clock import Clock
from tests.support.console import Papers
from tests.support.relay import Relay
from tests.support.what_is_wrong import COMPLETE, DAY, KINDS, NOW, failed, silent, stopped


@pytest.fixture(autouse=True)
def at_the_moment_of_an_alert(clock: Clock) -> None:
    clock.turn(NOW)


def test_all_is_well(papers: Papers, mailing: Mailing, mailbox: Relay) -> None:
    record_days(mailing, [COMPLETE])
    said = "All is well: Thursday 20 August 2026, the last day whose verdict is due, is complete.\n"
    assert papers("check") == (0, said, "")
    assert mailbox.taken == []


@pytest.mark.parametrize("wrong", KINDS, ids=lambda kind: kind.__name__)
def test_what_is_wrong_is_one_line_with_its_way_out(
    papers: Papers, mailing: Mailing, wrong: Callable[[Mailing], None]
) -> None:
    wrong(mailing)
    for _ in range(2):
        code, out, err = papers("check")
        assert (code, out) == (1, "")
        (line,) = err.splitlines()
        assert all(part in line for part in KINDS[wrong])


def test_a_home_where_nothing_ever_ran_is_not_well(papers: Papers, own_home: Path) -> None:
    code, out, err = papers("check")
    assert (code, out) == (1, "")
    assert "papers run 2026-08-20" in err


def test_a_warehouse_that_is_held_or_broken_changes_nothing(
    papers: Papers, mailing: Mailing, own_home: Path
) -> None:
    record_days(mailing, [COMPLETE])
    with duckdb.connect(str(own_home / "warehouse.duckdb")):
        assert papers("check")[0] == 0
    (own_home / "warehouse.duckdb").write_bytes(b"no database")
    assert papers("check")[0] == 0


def test_a_day_that_is_only_published_has_its_verdict(papers: Papers, own_home: Path) -> None:
    (own_home / "published").mkdir()
    with connect(own_home / "published" / "papers.duckdb") as published:
        published.execute("create schema marts")
        published.execute(
            "create table marts.daily_digests as"
            " select date '2026-08-20' as digest_date, 'complete' as verdict"
        )
    assert papers("check")[0] == 0


def test_a_ledger_that_cannot_be_opened_is_said(
    papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERS_MAILING_URL", "postgresql://me:hunter2@127.0.0.1:9/papers")
    code, _, err = papers("check")
    assert code == 1
    assert "cannot be opened" in err
    assert "hunter2" not in err


def test_an_operator_who_cannot_be_told_is_said_beside_what_is_wrong(
    papers: Papers, mailing: Mailing, mailbox: Relay
) -> None:
    failed(mailing)
    mailbox.says("RCPT", "550 no such operator")
    code, _, err = papers("check")
    assert code == 1
    assert err.splitlines()[0].startswith("The operator was not told by mail: 550")
    assert papers("check")[0] == 1
    assert len(mails(mailbox)) == 1


def test_a_silence_ends_with_the_days_verdict(
    papers: Papers, mailing: Mailing, mailbox: Relay
) -> None:
    silent(mailing)
    assert papers("check")[0] == 1
    record_days(mailing, [replace(COMPLETE, verdict="empty", sentence="Empty. A holiday.")])
    assert papers("check")[0] == 0
    _, (over, ending) = mails(mailbox)
    assert "Over: Thursday 20 August 2026. " in str(over["Subject"])
    assert "Empty. A holiday." in ending


def test_the_status_says_what_is_kept_before_anything_is_published(
    papers: Papers, mailing: Mailing
) -> None:
    stopped(mailing)
    papers("check")
    code, out, _ = papers("status", str(DAY))
    assert code == 0
    assert "failed" in out
    assert "A gate stopped the newest reading of Thursday 20 August 2026" in out
    assert "(open since 2026-08-21 13:30 UTC; `papers status 2026-08-20`)" in out

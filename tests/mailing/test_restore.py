"""A backup put back mails nobody an issue again, whichever of its files were put back."""

import json
import re
import shutil
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from flows.deliver import deliver
from flows.mail_setup import open_mailing
from flows.mailing.ledger_issues import SENDING, Issue
from flows.mailing.rules import Rule
from flows.mailing.sending import SendReport
from flows.mailing.sent_log import SentLog
from flows.mailing.subscribers import add
from flows.newsletter.digest import Digest, DigestPaper, Proof
from flows.settings import load_settings

DAY = date(2026, 8, 20)
CLOSED = datetime(2026, 8, 21, 2, 31, tzinfo=UTC)
LEDGER = ("mailing.sqlite", "mailing.sqlite-wal", "mailing.sqlite-shm")


def _send(home: Path, day: date, at: datetime, *, is_forced: bool = False) -> SendReport:
    """Make the issue of a day as a run does, where it is not there, and deliver it."""
    folder = home / "issues" / f"{day}-daily"
    if not folder.exists():
        paper = DigestPaper("2608.10001", 1, f"A paper of {day}", "Words.", 3, 0)
        digest = Digest(day, "daily", (paper,), Proof(1, 1, at, 1))
        folder.mkdir(parents=True)
        (folder / "issue.json").write_text(json.dumps(asdict(digest), default=str))
    with closing(open_mailing(load_settings())) as mailing:
        return deliver(mailing, folder, load_settings(), at, is_forced=is_forced)


def _put(source: Path, target: Path, *names: str) -> None:
    """Copy these files and folders over what is there, as a restore does."""
    for name in names:
        if (target / name).is_dir():
            shutil.rmtree(target / name)
        (target / name).unlink(missing_ok=True)
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name)
        elif (source / name).exists():
            shutil.copy2(source / name, target / name)


def _mails(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("mail/*"))


@pytest.fixture
def backup(own_home: Path, tmp_path: Path) -> Path:
    """What was kept before the last issue went out to the one reader of this home."""
    kept = tmp_path / "backup"
    kept.mkdir()
    with closing(open_mailing(load_settings())) as mailing:
        add(mailing, "ana@example.org", now=CLOSED - timedelta(days=9), rule=Rule())
    yesterday = _send(own_home, DAY - timedelta(days=1), CLOSED - timedelta(days=1))
    assert yesterday.sentence == "Sent to 1."
    _put(own_home, kept, *LEDGER, "issues", "mailed.log")
    assert _send(own_home, DAY, CLOSED).sentence == "Sent to 1."
    return kept


def test_an_older_ledger_put_back_mails_an_issue_to_nobody_again(
    own_home: Path, backup: Path
) -> None:
    _put(backup, own_home, *LEDGER, "issues")
    held = _send(own_home, DAY, CLOSED + timedelta(hours=1))
    assert held.is_blocked
    assert f"`papers issue resume {DAY}` sends it" in held.sentence
    assert held.issue.state == "paused"
    _send(own_home, DAY - timedelta(days=1), CLOSED + timedelta(hours=1))
    assert _mails(own_home) == _mails(backup), "only what the backup had"

    following = _send(own_home, DAY + timedelta(days=1), CLOSED + timedelta(days=1))
    assert following.sentence == "Sent to 1.", "the next issue goes out by itself"
    at = CLOSED + timedelta(days=1)
    assert _send(own_home, DAY, at, is_forced=True).sentence == "Sent to 1."


def test_a_whole_home_put_back_holds_what_was_due_before(own_home: Path, backup: Path) -> None:
    _put(backup, own_home, *LEDGER, "issues", "mailed.log")
    # As after a night: the last line is older than the file is in this place.
    log = own_home / "mailed.log"
    log.write_text(re.sub(r"(?m)^\S+", "2026-08-20T02:31:00+00:00", log.read_text()))
    for hours in (1, 2):
        held = _send(own_home, DAY, CLOSED + timedelta(hours=hours))
        assert "restored from a backup" in held.sentence
    assert _mails(own_home) == _mails(backup)


def test_a_ledger_without_its_log_holds_what_was_due_before(own_home: Path, backup: Path) -> None:
    _put(backup, own_home, *LEDGER, "issues")
    (own_home / "mailed.log").unlink()
    for hours in (1, 2):
        held = _send(own_home, DAY, CLOSED + timedelta(hours=hours))
        assert "restored from a backup" in held.sentence
    assert _mails(own_home) == _mails(backup)


def test_a_line_that_a_full_disk_cut_off_says_nothing_and_stops_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mailed.log"
    log = SentLog(path)
    issue = Issue("daily", DAY, SENDING, "", CLOSED, CLOSED)
    log.begin(is_new=True)
    log.note(issue, 7)
    with path.open("a") as file:
        file.write("2026-08-21T02:31:07.12+00:00 daily 2026-08-20")
    assert log.knows_more(issue, lambda: 6) is not None
    assert log.knows_more(issue, lambda: 7) is None
    log.note(issue, 9)
    assert log.knows_more(issue, lambda: 8) is not None, "the next line stands alone"
    assert log.doubt(issue, lambda: 9) is None


def test_a_ledger_that_was_not_restored_is_believed(own_home: Path, backup: Path) -> None:
    before = _mails(own_home)
    again = _send(own_home, DAY, CLOSED + timedelta(hours=1))
    assert (again.sentence, again.is_blocked) == ("Already sent to 1.", False)
    assert _mails(own_home) == before
    with closing(open_mailing(load_settings())) as mailing:
        add(mailing, "bob@example.org", now=CLOSED, rule=Rule())
    assert _send(own_home, DAY, CLOSED + timedelta(hours=2)).sentence == "Sent to 2."
    lines = (own_home / "mailed.log").read_text().splitlines()
    assert [line.partition(" ")[2] for line in lines] == [
        "begun",
        "daily 2026-08-19 1",
        "daily 2026-08-20 1",
        "daily 2026-08-20 1",
        "daily 2026-08-20 2",
    ]

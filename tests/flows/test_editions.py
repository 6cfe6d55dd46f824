"""The weekly and the monthly issue: held, made, mailed once; and what the operator reads of it."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.issues.frozen import frozen_digest
from flows.mail_setup import open_mailing
from flows.mailing.ledger_issues import find_issue
from flows.mailing.rules import Rule
from flows.mailing.subscribers import add
from flows.newsletter.digest import Edition
from flows.newsletter.lint import lint
from flows.outcome import Outcome
from flows.publication.published import recent_digests
from flows.runs.states import outcome_of
from flows.settings import load_settings
from flows.web.archive import Archive
from tests.support.clock import Clock

MONDAY, THURSDAY, FRIDAY = date(2026, 8, 10), date(2026, 8, 13), date(2026, 8, 14)
SUNDAY = date(2026, 8, 16)
# An hour and a half after the week ended, which is 01:30 UTC on Monday.
AFTER = datetime(2026, 8, 17, 3, tzinfo=UTC)


@pytest.fixture
def bring(prefect: None, hub: object, clock: Clock) -> Callable[[date, date], Outcome]:
    from flows.backfill import backfill

    def go(first: date, last: date) -> Outcome:
        state: Any = backfill(first, last, return_state=True)
        return outcome_of(state)

    return go


def make(kind: Edition, issue_date: date | None = None) -> Outcome:
    from flows.editions import edition

    state: Any = edition(kind, issue_date, return_state=True)
    return outcome_of(state)


def test_a_week_is_held_until_its_days_are_final_and_then_mailed_once(
    bring: Callable[[date, date], Outcome],
    clock: Clock,
    own_home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAPERS_PUBLIC_URL", "https://papers.example.org")
    monkeypatch.setenv("PAPERS_MAIL_FROM", "Daily Papers <papers@example.org>")
    with closing(open_mailing(load_settings())) as mailing:
        for name, editions in (("daily", ("daily",)), ("weekly", ("weekly", "monthly"))):
            add(mailing, f"{name}@example.org", now=AFTER, rule=Rule(editions=editions))
    clock.turn(AFTER)
    bring(MONDAY, THURSDAY)

    held = make("weekly")
    assert held.exit_code == 75
    assert held.sentence.startswith("2026-W33 is held, with ")
    assert held.sentence.endswith(" papers so far. Not final yet: Fri 14 Aug (not read).")
    assert make("weekly", date(2026, 8, 23)).sentence == (
        "2026-W34 is not over; it ends on Sunday 2026-08-23."
    )
    monthly = make("monthly")
    assert monthly.exit_code == 75
    assert "`papers backfill 2026-07-01 2026-07-31` reads them." in monthly.sentence
    assert not (own_home / "issues").exists()

    bring(FRIDAY, FRIDAY)
    made = make("weekly", SUNDAY)
    folder = own_home / "issues" / "2026-08-16-weekly"
    assert (made.exit_code, made.issue) == (0, folder)
    assert made.sentence.startswith("2026-W33: The issue is ")
    assert "Sent to 1" in made.sentence
    digest = frozen_digest(folder)
    recent = recent_digests(own_home / "published" / "papers.duckdb", "weekly")
    assert [(each.issue_date, each.papers) for each in recent] == [(SUNDAY, digest.papers)]
    with duckdb.connect(str(own_home / "published" / "papers.duckdb")) as published:
        listed = published.execute(
            "select paper_id from marts.daily_digest_papers"
            " where digest_date between '2026-08-10' and '2026-08-16' group by all"
            " order by max(upvotes_count) desc, max(comments_count) desc,"
            " min(digest_date), min(digest_rank)"
        ).fetchall()
        published.execute(
            "insert into marts.weekly_digests by name select * replace"
            " (date '2026-08-09' as digest_date, 'empty' as verdict, 'No paper.' as reason)"
            " from marts.weekly_digests limit 1"
        )
    assert [paper.paper_id for paper in digest.papers] == [paper for (paper,) in listed]
    assert digest.proof.paper_count == digest.proof.source_count == len(listed)
    (mail,) = (folder / "mail").iterdir()
    assert lint(mail.read_bytes()) == []
    letter = message_from_bytes(mail.read_bytes(), policy=SMTP)
    assert letter["To"] == "weekly@example.org"
    assert letter["Subject"].startswith("Daily Papers weekly, week 33: ")
    assert [one.name for one in Archive(own_home / "issues").newest(1)] == ["2026-08-16-weekly"]
    quality = (folder / "quality.html").read_text()
    assert "5 complete of 5 days." in quality
    assert "Every weekday of it has its final verdict." in quality
    assert "https://papers.example.org/issues/2026-08-16-weekly/quality.html" in letter.as_string()

    sent = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    again = make("weekly", SUNDAY)
    assert "The issue exists already" in again.sentence
    assert "Already sent to 1" in again.sentence
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == sent
    with closing(open_mailing(load_settings())) as mailing:
        issue = find_issue(mailing, "weekly", SUNDAY)
    assert issue is not None
    assert issue.due_at == AFTER - timedelta(minutes=90)

    empty = make("weekly", date(2026, 8, 9))
    assert (empty.exit_code, empty.sentence) == (0, "No issue of 2026-W32. No paper.")

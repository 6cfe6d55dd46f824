"""Which issues go out by themselves, whatever the order in which late runs come."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from flows.deliver import deliver, deliver_rest
from flows.issues.frozen import issue_files, write_files
from flows.mail_setup import open_mailing
from flows.mailing.database import Mailing
from flows.mailing.rules import Rule, parse_rule
from flows.mailing.sending import SendReport
from flows.mailing.subscribers import add
from flows.mailing.tables import deliveries
from flows.newsletter.digest import Digest, DigestPaper, Edition, Proof
from flows.newsletter.lint import lint
from flows.settings import Settings, load_settings
from flows.sources.feed_day import closes_at

if TYPE_CHECKING:
    from tests.support.relay import Relay

FRIDAY = date(2026, 8, 14)
WEEK = [FRIDAY - timedelta(days=days) for days in (4, 3, 2, 1, 0)]


@pytest.fixture
def mailing(own_home: Path) -> Iterator[Mailing]:
    with closing(open_mailing(load_settings())) as opened:
        add(opened, "ada@example.org", now=closes_at(WEEK[0]))
        yield opened


def _send(mailing: Mailing, day: date, now: datetime, *, is_forced: bool = False) -> SendReport:
    settings = load_settings()
    folder = settings.issue_folder(day)
    if not folder.exists():
        papers = (DigestPaper("2608.00001", 1, f"Tides of {day}", "We look at the sea.", 9, 0),)
        digest = Digest(day, "daily", papers, Proof(1, 1, closes_at(day), 30))
        write_files(folder, issue_files(digest, settings))
    return deliver(mailing, folder, settings, now, is_forced=is_forced)


def _sent(settings: Settings) -> list[str]:
    return sorted(path.parents[1].name for path in settings.issues_path.glob("*/mail/*.eml"))


@pytest.mark.parametrize("order", [WEEK, WEEK[::-1], *list(permutations(WEEK))[7::40]])
def test_after_five_days_of_outage_the_current_issue_goes_out_and_no_other(
    mailing: Mailing, order: list[date]
) -> None:
    now = closes_at(FRIDAY) + timedelta(hours=1)
    said = {day: _send(mailing, day, now).sentence for day in order}
    assert _sent(load_settings()) == [f"{FRIDAY}-daily"]
    assert said[FRIDAY] == "Sent to 1."
    assert said[WEEK[3]].startswith("Not sent: a newer issue is due")
    assert "after 36 hours no issue goes out by itself" in said[WEEK[2]]
    assert _send(mailing, WEEK[3], now, is_forced=True).sentence == "Sent to 1."


def test_an_issue_stays_current_over_the_weekend_that_has_no_list(mailing: Mailing) -> None:
    sunday = closes_at(FRIDAY) + timedelta(hours=35)
    assert _send(mailing, FRIDAY, sunday).sentence == "Sent to 1."


def test_what_was_put_off_is_sent_when_its_turn_comes_and_not_before(
    mailing: Mailing, relay: "Relay", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERS_MAIL_URL", f"smtp://127.0.0.1:{relay.port}?tls=none")
    monkeypatch.setenv("PAPERS_MAIL_FROM", "papers@papers.example.org")
    add(mailing, "bo@example.org", now=closes_at(WEEK[0]))
    relay.says("RCPT", "451 4.7.1 try later", to="ada@example.org")
    now = closes_at(FRIDAY) + timedelta(hours=1)
    assert "Sent to 1" in _send(mailing, FRIDAY, now).sentence
    settings = load_settings()
    assert list(deliver_rest(mailing, settings, now + timedelta(minutes=1))) == []
    [report] = deliver_rest(mailing, settings, now + timedelta(hours=1))
    assert report.sentence == "Sent to 2."
    assert relay.counts == {"ada@example.org": 1, "bo@example.org": 1}
    assert list(deliver_rest(mailing, settings, now + timedelta(hours=2))) == []


def test_the_relay_gets_no_more_a_second_than_the_setting_says(
    mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    paces: set[float] = set()
    monkeypatch.setattr("flows.mailing.sender.Sender._pace", lambda _, rate: paces.add(rate))
    monkeypatch.setenv("PAPERS_MAIL_PER_SECOND", "2.5")
    assert _send(mailing, FRIDAY, closes_at(FRIDAY)).sentence == "Sent to 1."
    assert paces == {2.5}


def test_each_mail_has_the_moment_it_was_sent_and_not_that_of_its_run(
    mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERS_MAIL_PER_SECOND", "10")
    for name in ("bo", "cy"):
        add(mailing, f"{name}@example.org", now=closes_at(WEEK[0]))
    now = closes_at(FRIDAY) + timedelta(hours=1)
    assert _send(mailing, FRIDAY, now).sentence == "Sent to 3."
    with mailing.read() as connection:
        sent = sorted(connection.scalars(select(deliveries.c.changed_at)))
    assert now < sent[0] < sent[1] < sent[2] < now + timedelta(hours=1)


def _mails(folder: Path) -> dict[str, str]:
    """The HTML and the text of each reader's mail, by address."""
    found = {}
    for path in folder.glob("mail/*.eml"):
        assert lint(path.read_bytes()) == []
        mail = message_from_bytes(path.read_bytes(), policy=SMTP)
        bodies = (mail.get_body((kind,)) for kind in ("html", "plain"))
        found[mail["To"]] = "\n".join(body.get_content() for body in bodies if body)
    return found


@pytest.mark.parametrize(
    ("edition", "listed_on", "first", "again"),
    [
        ("daily", WEEK[0], WEEK[0], FRIDAY),
        ("weekly", date(2026, 8, 6), date(2026, 8, 9), date(2026, 8, 16)),
    ],
)
def test_who_was_mailed_a_paper_before_gets_it_as_one_line(
    mailing: Mailing,
    edition: Edition,
    listed_on: date,
    first: date,
    again: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAPERS_PUBLIC_URL", "https://papers.example.org")
    everything = Rule(editions=(edition,))
    # The rule takes it today, and did not take it with its two votes of then.
    popular = parse_rule({"editions": edition, "upvotes_min": "5"})
    before = DigestPaper("2608.00001", 1, "Tides again", "We look at the sea.", 2, 0)
    why = "also listed on 10 Aug, then with 2 votes"
    now = replace(before, rank=2, upvotes_count=9, why_here=why, listed_before=(listed_on,))
    other = DigestPaper("2608.00002", 1, "Sand", "We look at the sand.", 99, 0)

    def deliver_issue(day: date, *papers: DigestPaper) -> Path:
        folder = load_settings().issue_folder(day, edition)
        proof = Proof(len(papers), len(papers), closes_at(day), 30)
        write_files(folder, issue_files(Digest(day, edition, papers, proof), load_settings()))
        at = closes_at(day) + timedelta(hours=1)
        deliver(mailing, folder, load_settings(), at, is_forced=True)
        return folder

    for name, rule in (("old", everything), ("popular", popular)):
        add(mailing, f"{name}@example.org", now=closes_at(first), rule=rule)
    deliver_issue(first, before)
    add(mailing, "new@example.org", now=closes_at(again), rule=everything)
    mails = _mails(deliver_issue(again, other, now))

    assert "We look at the sea." not in mails["old@example.org"]
    assert "We look at the sea." in mails["new@example.org"]
    assert "We look at the sea." in mails["popular@example.org"]
    for name in ("old", "new"):
        mail = mails[f"{name}@example.org"]
        assert mail.count(why) == 2
        assert mail.count("2 papers · 108 votes") == 3  # preheader, head, text
        assert mail.count("2 of 2 papers, read") == 2
        assert mail.count("https://huggingface.co/papers/2608.00001") == 2


def test_the_public_copy_of_a_long_issue_is_whole(own_home: Path) -> None:
    papers = tuple(
        DigestPaper(
            f"2608.{rank:05}", rank, f"Tides {rank} and their many shores", "Sea. " * 60, 9, 0
        )
        for rank in range(1, 529)
    )
    digest = Digest(FRIDAY, "monthly", papers, Proof(528, 528, closes_at(FRIDAY), 30))
    files = issue_files(digest, load_settings())
    ids = [paper.paper_id for paper in papers]
    for name in ("digest.html", "digest.txt"):
        words = files[name].decode()
        assert re.findall(r"huggingface\.co/papers/([\d.]+)", words) == ids, name
        assert "more paper" not in words
    mail = message_from_bytes(files["digest.eml"], policy=SMTP).as_string()
    assert len(set(re.findall(r"papers/(2608\.\d{5})", mail))) < len(ids)
    assert lint(files["digest.eml"]) == []


def test_a_longer_life_lets_issues_pile_up(
    mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERS_ISSUE_MAX_AGE_HOURS", "1000")
    for day in WEEK:
        assert _send(mailing, day, closes_at(FRIDAY)).sentence == "Sent to 1."

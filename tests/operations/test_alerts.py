"""One message an incident and one when it is over, whatever is repeated, parallel or killed."""

import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from flows.mailing import ledger
from flows.mailing.database import Mailing
from flows.mailing.subscribers import add
from flows.mailing.tables import deliveries, notices, subscribers
from flows.operations.days import Day, record_day
from flows.operations.dead_man_check import look
from flows.operations.deadlines import verdict_due_at
from flows.operations.incidents import open_incidents
from flows.settings import load_settings
from tests.operations.conftest import DAY, NOW, READER, TOKEN, Webhook, mails
from tests.support.relay import Relay

COMPLETE = Day(DAY, "complete", "Complete. 43 of 43 papers; 48 checks passed. Sent to 3.", NOW)
FAILED = replace(COMPLETE, verdict="failed", sentence="Failed. The Hub gave no list: it said 503.")


def failed(mailing: Mailing) -> None:
    record_day(mailing, FAILED)


def stopped(mailing: Mailing) -> None:
    why = "The gate raw stopped it: none of the 43 papers has a single upvote."
    record_day(mailing, replace(FAILED, sentence=f"Failed. {why}", stopped_by=why))


def held(mailing: Mailing) -> None:
    record_day(mailing, replace(FAILED, verdict="partial", sentence="Partial. Only 3 papers."))


def silent(mailing: Mailing) -> None:
    """Nothing is known of the last feed day."""


def paused(mailing: Mailing) -> None:
    record_day(mailing, COMPLETE)
    said = "Paused: 20 of 20 messages went wrong, the last: 550 no. Sent to 0, 20 failed."
    _issue(mailing, ledger.PAUSED, said)


def blocked(mailing: Mailing) -> None:
    said = "Complete. 43 of 43 papers. Mail is held: the relay cannot be used."
    record_day(mailing, replace(COMPLETE, sentence=said, is_mail_blocked=True))
    _issue(mailing, ledger.SENDING, "Not begun.")


def unfinished(mailing: Mailing) -> None:
    record_day(mailing, COMPLETE)
    _issue(mailing, ledger.SENDING, "Sent to 0, 1 deferred.")
    add(mailing, READER, now=NOW)
    with mailing.write() as connection:
        row = {"edition": "daily", "issue_date": DAY, "state": "deferred", "attempts_count": 1}
        who = connection.scalar(select(subscribers.c.id))
        connection.execute(
            insert(deliveries).values(row | {"subscriber_id": who, "changed_at": NOW})
        )


def _issue(mailing: Mailing, state: str, sentence: str) -> None:
    at = NOW - timedelta(hours=12)
    issue = ledger.open_issue(mailing, "daily", DAY, due_at=at, now=at)
    ledger.set_issue(mailing, issue, state, sentence, now=NOW)


def mend(mailing: Mailing) -> None:
    record_day(mailing, COMPLETE)
    if issue := ledger.find_issue(mailing, "daily", DAY):
        ledger.set_issue(mailing, issue, ledger.DONE, "Sent to 3.", now=NOW)


# what is wrong: cause, consequence and command, as the operator reads them
KINDS: dict[Callable[[Mailing], None], tuple[str, str, str]] = {
    failed: (
        "Thursday 20 August 2026 has failed: The Hub gave no list: it said 503.",
        "no mail went out",
        "papers run 2026-08-20",
    ),
    stopped: (
        "none of the 43 papers has a single upvote",
        "reached no reader",
        "papers status 2026-08-20",
    ),
    held: (
        "Thursday 20 August 2026 is still held at 09:00 America/New_York: Only 3 papers.",
        "No mail goes out for this day until it is complete.",
        "papers run 2026-08-20",
    ),
    silent: (
        "Thursday 20 August 2026 has no verdict at 09:00 America/New_York",
        "what starts the runs seems to be down",
        "papers run 2026-08-20",
    ),
    paused: (
        "The daily issue of 2026-08-20 is paused: Paused: 20 of 20 messages went wrong",
        "nobody else gets it until it goes on",
        "papers issue resume 2026-08-20",
    ),
    blocked: (
        "The daily issue of 2026-08-20 could not be sent",
        "nobody else gets it",
        "papers issue resume 2026-08-20",
    ),
    unfinished: (
        "The daily issue of 2026-08-20 is unfinished at 09:00 America/New_York",
        "0 have it, 1 were tried in vain",
        "papers issue resume 2026-08-20",
    ),
}


@pytest.mark.parametrize("wrong", KINDS, ids=lambda kind: kind.__name__)
def test_each_incident_is_told_once_and_once_when_it_is_over(
    mailing: Mailing, mailbox: Relay, webhook: Webhook, wrong: Callable[[Mailing], None]
) -> None:
    settings = load_settings()
    wrong(mailing)
    for minutes in (0, 5, 60):
        look(settings, NOW + timedelta(minutes=minutes))

    ((mail, text),) = mails(mailbox)
    assert all(part in text for part in KINDS[wrong])
    assert KINDS[wrong][0][:60] in str(mail["Subject"])
    (post,) = webhook.posts
    assert all(part in str(post["text"]) for part in KINDS[wrong])
    assert (post["news"], post["command"][-10:]) == ("opened", "2026-08-20")

    mend(mailing)
    for minutes in (90, 95):
        look(settings, NOW + timedelta(minutes=minutes))

    _, (over, ending) = mails(mailbox)
    assert str(over["Subject"]).startswith("Daily Papers: Over: ")
    assert "Over since 2026-08-21 15:00 UTC: " in ending
    assert [post["news"] for post in webhook.posts] == ["opened", "over"]
    assert open_incidents(mailing) == []
    for said in (*(text for _, text in mails(mailbox)), *map(str, webhook.posts)):
        assert READER not in said
        assert TOKEN not in said


def test_looks_at_the_same_time_tell_it_once(
    mailing: Mailing, mailbox: Relay, webhook: Webhook
) -> None:
    settings = load_settings()
    failed(mailing)
    with ThreadPoolExecutor(6) as pool:
        seen = list(pool.map(lambda _: look(settings, NOW), range(6)))
    assert {len(each.wrong) for each in seen} == {1}
    assert len(mailbox.taken) == len(webhook.posts) == 1


@pytest.mark.parametrize(("dies", "copies"), [("claimed", 1), ("begun", 0)])
def test_a_message_whose_sender_died_goes_again_unless_it_may_have_left(
    mailing: Mailing, mailbox: Relay, dies: str, copies: int
) -> None:
    failed(mailing)
    command = [sys.executable, "-m", "tests.support.teller", NOW.isoformat()]
    killed = subprocess.run([*command, dies], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert mailbox.taken == []

    assert subprocess.run(command, check=False).returncode == 0
    look(load_settings(), NOW)
    assert len(mailbox.taken) == copies
    with mailing.read() as connection:
        assert connection.scalars(select(notices.c.state)).all() == [
            "sent" if copies else "unknown"
        ]


@pytest.mark.parametrize("answers", [(500,), (404, 503), (301,)])
def test_a_webhook_that_refuses_is_tried_again_by_the_next_look(
    mailing: Mailing, webhook: Webhook, answers: tuple[int, ...]
) -> None:
    failed(mailing)
    webhook.answers.extend(answers)
    for answer in answers:
        seen = look(load_settings(), NOW)
        assert seen.troubles == (
            f"The operator was not told by webhook: the webhook answered {answer}",
        )
    assert look(load_settings(), NOW).troubles == ()
    look(load_settings(), NOW)
    assert len(webhook.posts) == 1


def test_a_webhook_that_hangs_up_may_have_taken_it_and_is_not_asked_twice(
    mailing: Mailing, webhook: Webhook
) -> None:
    failed(mailing)
    webhook.answers.append(0)
    (trouble,) = look(load_settings(), NOW).troubles
    assert "did not answer" in trouble
    assert TOKEN not in trouble
    look(load_settings(), NOW)
    assert len(webhook.posts) == 1


def test_a_webhook_that_is_not_there_is_said_without_its_address(
    mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed(mailing)
    for url in (f"http://127.0.0.1:9/{TOKEN}", f"nonsense/{TOKEN}"):
        monkeypatch.setenv("PAPERS_OPERATOR_WEBHOOK", url)
        (trouble,) = look(load_settings(), NOW).troubles
        assert "cannot be reached" in trouble
        assert TOKEN not in trouble


def test_what_was_over_before_anybody_could_be_told_is_told_as_over_alone(
    mailing: Mailing, mailbox: Relay
) -> None:
    paused(mailing)
    mailbox.says("MAIL", "451 later")
    assert look(load_settings(), NOW).troubles
    mend(mailing)
    assert look(load_settings(), NOW).troubles == ()
    ((mail, _),) = mails(mailbox)
    assert "Over: The daily issue of 2026-08-20" in str(mail["Subject"])


def test_an_incident_that_comes_back_is_told_anew(mailing: Mailing, mailbox: Relay) -> None:
    for wrong in (paused, mend, paused, mend):
        wrong(mailing)
        look(load_settings(), NOW)
    subjects = [str(mail["Subject"]) for mail, _ in mails(mailbox)]
    assert [s.startswith("Daily Papers: Over: ") for s in subjects] == [False, True, False, True]


def test_without_a_relay_the_operator_finds_the_message_in_the_outbox(
    mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERS_OPERATOR_EMAIL", "operator@example.org")
    failed(mailing)
    look(load_settings(), NOW)
    (file,) = (load_settings().home / "outbox").iterdir()
    assert "papers run 2026-08-20" in file.read_text()


def test_a_day_before_its_deadline_and_an_old_one_wake_nobody(
    mailing: Mailing, mailbox: Relay
) -> None:
    settings = load_settings()
    record_day(mailing, replace(COMPLETE, list_date=DAY - timedelta(days=1)))
    held(mailing)
    record_day(mailing, replace(FAILED, list_date=DAY - timedelta(days=40)))
    assert look(settings, verdict_due_at(DAY, settings) - timedelta(minutes=1)).wrong == ()
    assert mailbox.taken == []
    assert len(look(settings, verdict_due_at(DAY, settings)).wrong) == 1


def test_a_day_that_was_complete_stays_so_and_a_gates_word_about_it_is_told(
    mailing: Mailing, mailbox: Relay
) -> None:
    record_day(mailing, COMPLETE)
    stopped(mailing)
    (sentence,) = look(load_settings(), NOW).wrong
    assert "none of the 43 papers" in sentence
    record_day(mailing, COMPLETE)
    assert look(load_settings(), NOW).wrong == ()

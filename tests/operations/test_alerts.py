"""One message an incident and one when it is over, whatever is repeated, parallel or killed."""

import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from flows.mailing.database import Mailing
from flows.mailing.tables import notices
from flows.operations.days import record_days
from flows.operations.dead_man_check import look
from flows.operations.deadlines import verdict_due_at
from flows.operations.incidents import open_incidents
from flows.settings import load_settings
from tests.operations.conftest import TOKEN, Webhook, mails
from tests.support.relay import Relay
from tests.support.what_is_wrong import (
    COMPLETE,
    DAY,
    FAILED,
    KINDS,
    NOW,
    READER,
    failed,
    held,
    mend,
    paused,
    stopped,
)


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
    assert "Over: the daily issue of 2026-08-20. " in str(mail["Subject"])


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
    record_days(mailing, [replace(COMPLETE, list_date=DAY - timedelta(days=1))])
    held(mailing)
    record_days(mailing, [replace(FAILED, list_date=DAY - timedelta(days=40))])
    assert look(settings, verdict_due_at(DAY, settings) - timedelta(minutes=1)).wrong == ()
    assert mailbox.taken == []
    assert len(look(settings, verdict_due_at(DAY, settings)).wrong) == 1


def test_a_day_that_was_complete_stays_so_and_a_gates_word_about_it_is_told(
    mailing: Mailing, mailbox: Relay
) -> None:
    record_days(mailing, [COMPLETE])
    stopped(mailing)
    (sentence,) = look(load_settings(), NOW).wrong
    assert "none of the 43 papers" in sentence
    record_days(mailing, [COMPLETE])
    assert look(load_settings(), NOW).wrong == ()

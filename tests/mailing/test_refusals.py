"""Whose fault a refusal is: what names the mailbox suppresses, nothing else does."""

import mailbox
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from flows.mailing import subscribers as people
from flows.mailing.bounces import read_bounces
from flows.mailing.csv_lines import import_csv
from flows.mailing.database import Mailing
from flows.mailing.ledger_issues import open_issue
from flows.mailing.letters import message_id
from flows.mailing.refusals import is_address_bad, is_returned_for_good
from flows.mailing.sender import SendLimits
from flows.mailing.sending import send_issue
from flows.mailing.tokens import Tokens
from flows.mailing.transports import FileTransport
from tests.mailing.conftest import DAY, NOW
from tests.support.bounce_reports import DOMAIN, bounce_report
from tests.support.clock import Clock
from tests.support.sender import letters

if TYPE_CHECKING:
    from tests.support.relay import Relay

ONE = SendLimits(connections_count=1, reconnect_pauses=())
NOT_THE_MAILBOX = [
    "550 5.1.8 <papers@papers.example.org>: Sender address rejected: Domain not found",
    "550 5.1.7 <papers@papers.example.org>: Sender address rejected: user unknown",
    "550 5.1.0 <papers@papers.example.org> sender rejected",
    "550 Sender verify failed",
    "550 Verification failed for <papers@papers.example.org>: no such user",
    "550 5.1.1 <papers@papers.example.org>: Sender address rejected: User unknown",
    "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.example.net",
    "550 JunkMail rejected - mail.example.org [192.0.2.1] is in an RBL",
    "550 Your IP 5.1.1.7 is on our block list, user unknown to reputation service",
    "550 5.7.26 This mail has been blocked because the sender is unauthenticated",
    "550 5.7.1 Message rejected due to policy; recipient does not exist in our allow list",
    "550 5.2.1 The user you try to reach is receiving mail at a rate that prevents more",
    "550 5.4.5 Daily sending quota exceeded",
    "554 5.6.0 Message content rejected",
    "550 spam message rejected",
    "550 5.7.1 relaying denied for <ada@example.org>",
    "552 5.2.2 mailbox full",
    "550 rejected",
    "550 mail for 5.1.1 High Street refused",
    "550 Requested action not taken: mailbox unavailable",
    "550 5.1.10.3 what is this",
    "550 4.1.1 no such user",
    "550 Access denied. IP name lookup failed, invalid address",
    "550 Invalid address in From header",
    "550 no such user as papers@papers.example.org in our whitelist",
    "550 Message too large for this account; account disabled for attachments",
    "550 Connection from unknown user [203.0.113.5] rejected",
    "550 unknown user [203.0.113.5]",
    "550 unknown user 2001:db8::25",
    "550 authorization required: account not found",
    "550 Return address invalid: unknown user",
    "550 From address is unknown",
    "550 5.1.1 From address is unknown",
    "550 5.1.1 Return address invalid",
    "550 Geographic restriction: recipient address is invalid from this country",
    "550 <papers@papers.example.org>: User unknown",
    "550 User unknown to our directory harvest protection",
    "550 Recipient unknown until TLS is used",
    "550 Your account with this relay is disabled for unpaid invoices",
    "550 User unknown, or the certificate of papers.example.org has expired",
    "550 Benutzer unbekannt, invalid user agent",
]
THE_MAILBOX = [
    "550 5.1.1 <ada@example.org>: Recipient address rejected: User unknown in relay table",
    "550 5.1.1 The email account that you tried to reach does not exist. https://x.example/?p=spam",
    "550 5.1.2 <ada@example.org>: Recipient address rejected: Domain not found",
    "553 5.1.3 bad address syntax",
    "551 5.1.6 moved, no forwarding address",
    "556 5.1.10 Recipient address has null MX",
    "550 5.2.1 mailbox disabled",
    "550 #5.1.0 user unknown",
    "550 No such user here",
    "550 <ada@example.org>... User unknown",
    "551 User not local",
    "554 delivery error: dd This user doesn't have a mail.example account",
    "550 unknown recipient",
    "550 sorry, no mailbox here by that name",
    "550 Mailbox <ada@example.org> does not exist at mx.example.org",
    "550 ADA@EXAMPLE.ORG: this account has been disabled or discontinued [42]",
    "550 <ada@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
    "553 5.0.0 The user you are trying to reach is no longer employed here",
]


def _state(mailing: Mailing, name: str) -> str:
    person = people.find(mailing, f"{name}@example.org")
    assert person is not None
    return person.state


@pytest.mark.parametrize(
    ("answer", "state"),
    [(a, "active") for a in NOT_THE_MAILBOX] + [(a, "suppressed") for a in THE_MAILBOX],
)
def test_at_rcpt_only_what_names_the_mailbox_suppresses(
    tmp_path: Path, relay: "Relay", answer: str, state: str
) -> None:
    mailing = people_on(tmp_path, "ada", "bo")
    issue = open_issue(mailing, "daily", DAY, due_at=NOW, now=NOW)
    relay.says("RCPT", answer, to="ada@example.org")
    send_issue(mailing, issue, letters, relay.transport(), limits=ONE, clock=Clock(NOW))
    assert (_state(mailing, "ada"), _state(mailing, "bo")) == (state, "active")
    mailing.close()


@pytest.mark.parametrize(
    ("answer", "state"),
    [(a, "active") for a in NOT_THE_MAILBOX] + [(a, "suppressed") for a in THE_MAILBOX],
)
def test_in_a_report_only_what_names_the_mailbox_suppresses(
    tmp_path: Path, answer: str, state: str
) -> None:
    mailing = people_on(tmp_path, "ada")
    issue = open_issue(mailing, "daily", DAY, due_at=NOW, now=NOW)
    out = FileTransport(tmp_path / "mail")
    send_issue(mailing, issue, letters, out, limits=ONE, clock=Clock(NOW))
    person = people.find(mailing, "ada@example.org")
    assert person is not None
    sent = message_id("daily", DAY, person.public_id, DOMAIN)
    fields = (
        "Reporting-MTA: dns; relay.example.org\n\nFinal-Recipient: rfc822; ada@example.org\n"
        f"Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; {answer}\n"
    )
    box = mailbox.mbox(tmp_path / "box")
    box.add(bounce_report("delivery-status", fields, f"Message-ID: {sent}\n"))
    box.close()
    read_bounces(mailing, Tokens([SecretStr("a key")]), tmp_path / "box", now=NOW)
    assert _state(mailing, "ada") == state
    mailing.close()


@pytest.mark.parametrize(
    ("status", "diagnostic", "state"),
    [
        ("5.1.1", "smtp; 550 rejected", "suppressed"),
        ("5.1.1 (no such user)", "x-postfix; unknown user", "suppressed"),
        ("5.2.1", "", "suppressed"),
        ("5.7.1", "smtp; 550 5.1.1 no such user", "active"),
        ("5.1.8", "smtp; 550 no such user", "active"),
        ("5.2.2", "smtp; 550 5.1.1 no such user", "active"),
        ("4.4.1", "smtp; 550 5.1.1 no such user", "active"),
        ("5.0.0", "smtp; 550-5.1.1 no such user", "suppressed"),
        ("", "smtp; 550 5.1.1 no such user", "suppressed"),
        ("", "smtp; 550 refused, see 5.1.1", "active"),
    ],
)
def test_the_status_of_a_report_is_asked_before_its_text(
    status: str, diagnostic: str, state: str
) -> None:
    assert is_returned_for_good(status, diagnostic, "ada@example.org") == (state == "suppressed")


def test_after_data_words_are_about_the_content() -> None:
    assert not is_address_bad(550, "no such user", "ada@example.org", after_data=True)
    assert is_address_bad(550, "5.1.1 no such user", "ada@example.org", after_data=True)


@pytest.mark.parametrize("count", [1, 3, 19, 60])
@pytest.mark.parametrize(
    ("step", "answer"),
    [("RCPT", "550 5.1.1 no such user"), ("RCPT", "550 no"), ("MAIL", "550 5.1.8 who are you")],
)
def test_while_everybody_is_refused_nobody_is_suppressed_and_the_issue_pauses(
    tmp_path: Path, relay: "Relay", count: int, step: str, answer: str
) -> None:
    names = [f"reader{number}" for number in range(count)]
    mailing = people_on(tmp_path, *names)
    issue = open_issue(mailing, "daily", DAY, due_at=NOW, now=NOW)
    relay.says(step, *[answer] * 200)
    for _ in range(4):  # and each resume leaves it so
        report = send_issue(
            mailing, issue, letters, relay.transport(), limits=ONE, clock=Clock(NOW), is_forced=True
        )
        assert (report.is_blocked, report.issue.state) == (True, "paused")
        assert {_state(mailing, name) for name in names} == {"active"}
    relay.script.clear()
    report = send_issue(
        mailing, issue, letters, relay.transport(), limits=ONE, clock=Clock(NOW), is_forced=True
    )
    assert report.sentence == f"Sent to {count}."
    mailing.close()


def people_on(folder: Path, *names: str) -> Mailing:
    """A list of these readers."""
    from flows.mailing.database import open_mailing_database

    mailing = open_mailing_database(folder / "mailing.sqlite")
    assert import_csv(mailing, [f"{name}@example.org" for name in names], now=NOW).is_done
    return mailing

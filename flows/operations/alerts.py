"""Alerts: one message to the operator when something is wrong, and one when it is over.

days, ledger ──watch──▶ incidents ──claim──▶ PAPERS_OPERATOR_EMAIL, PAPERS_OPERATOR_WEBHOOK

What is wrong is found anew each time, so it makes no difference who looks, how often, or what was
killed on the way; `operations.incidents` sees to it that nobody is told twice.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from datetime import date, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import NamedTuple

import requests
from urllib3.exceptions import NewConnectionError

from flows.mail_setup import open_mailing, transport
from flows.mailing.addresses import AddressError, parse_address
from flows.mailing.database import Mailing, MailingError
from flows.mailing.leases import lease
from flows.mailing.transports import (
    DEFERRED,
    SENT,
    UNKNOWN,
    Parcel,
    SendResult,
    SmtpTransport,
    StaleConnectionError,
    TransportError,
)
from flows.operations import incidents as book
from flows.operations.days import Day, record_days
from flows.operations.incident_rules import ending, wrong_now
from flows.operations.incidents import OVER, Incident, Notice
from flows.settings import Settings
from flows.wording import long_date

# Seconds: a run must not wait long for the operator's mail or webhook.
_MAIL_SECONDS, _MAIL_FINAL_SECONDS, _WEBHOOK_SECONDS = 20.0, 60.0, 10.0
_WITHHELD = SendResult("withheld")

Channel = Callable[[Notice, Callable[[], bool]], SendResult]
"""Sends a notice; asks at the last moment whether it still may."""


class Look(NamedTuple):
    """What is wrong now, and which messages about it could not be sent, one sentence each."""

    found: list[Incident]
    troubles: list[str]


def after_run(
    settings: Settings,
    days: Sequence[Day],
    now: datetime,
    record: Callable[[Mailing, Sequence[Day]], None] = record_days,
) -> list[str]:
    """Keep what these days came to, and tell the operator what is wrong and what is over.

    Gives what could not be done, one sentence each: none of it is a reason for a run to fail.
    """
    try:
        with closing(open_mailing(settings)) as mailing:
            record(mailing, days)
            return look_and_tell(mailing, settings, now).troubles
    except MailingError as error:
        return [f"The operator was not told: {error}"]
    except Exception as error:  # noqa: BLE001  whatever it is, the day ended as it did
        return [f"The operator was not told: {type(error).__name__}"]


def look_and_tell(
    mailing: Mailing, settings: Settings, now: datetime, also: Sequence[Incident] = ()
) -> Look:
    """Keep what is wrong now (and what else was found), and tell the operator what is news.

    Who could not be told is told by the next look.
    """
    known = book.open_incidents(mailing)
    found = {i.key: i for i in (*wrong_now(mailing, settings, now, known), *also)}
    for incident in found.values():
        book.open_incident(mailing, incident, now=now)
    for one in known:
        if one.incident.key not in found:
            book.close_incident(mailing, one, ending(mailing, one, now), now=now)
    troubles = list(tell(mailing, channels(settings), now))
    return Look(list(found.values()), troubles)


def tell(mailing: Mailing, ways: Mapping[str, Channel], now: datetime) -> Iterator[str]:
    """Send what is due over these channels; what could not be sent, one sentence each."""
    if not ways:
        return
    with lease(mailing) as number:
        for notice in book.claim_notices(mailing, list(ways), number, now=now):

            def may_send(notice: Notice = notice) -> bool:
                return book.begin(mailing, notice, number, now=now)

            outcome = ways[notice.channel](notice, may_send)
            if outcome == _WITHHELD:
                continue
            state = outcome.state if outcome.state in {SENT, UNKNOWN} else book.DUE
            book.finish(mailing, notice, number, state, outcome.reason, now=now)
            if state != SENT:
                yield f"The operator was not told by {notice.channel}: {outcome.reason}"


def channels(settings: Settings) -> dict[str, Channel]:
    """The ways to the operator that are set."""
    ways: dict[str, Channel] = {}
    if settings.operator_email:
        ways["mail"] = _mail_channel(settings, settings.operator_email)
    if settings.operator_webhook:
        ways["webhook"] = _webhook_channel(settings.operator_webhook.get_secret_value())
    return ways


def headline(notice: Notice) -> str:
    """The incident in one line, as a subject has it: its cause, or how it ended."""
    incident = notice.known.incident
    if notice.news != OVER:
        return incident.cause
    edition, _, day = incident.subject.rpartition(" ")
    about = f"the {edition} issue of {day}" if edition else long_date(date.fromisoformat(day))
    return f"Over: {about}. {notice.known.ending}"


def text(notice: Notice) -> str:
    """The whole message: cause, consequence and command; or how it ended."""
    known, incident = notice.known, notice.known.incident
    if notice.news == OVER:
        closed = known.closed_at or known.opened_at
        return (
            f"Over since {closed:%Y-%m-%d %H:%M} UTC: {known.ending}\n\n"
            f"It began at {known.opened_at:%Y-%m-%d %H:%M} UTC: {incident.cause}\n"
        )
    return (
        f"{incident.cause}\n\n{incident.consequence}\n\n"
        f"Run next:\n\n    {incident.command}\n\n"
        "You get one more message, when this is over. `papers status` shows all there is.\n"
    )


def _mail_channel(settings: Settings, operator: str) -> Channel:
    def send(notice: Notice, may_send: Callable[[], bool]) -> SendResult:
        try:
            way = transport(settings, settings.home / "outbox")
            if isinstance(way, SmtpTransport):
                way = replace(way, timeout=_MAIL_SECONDS, final_timeout=_MAIL_FINAL_SECONDS)
            to = parse_address(parseaddr(operator)[1]).text
            connection = way.open()
        except (TransportError, AddressError) as error:
            return SendResult(DEFERRED, str(error))
        try:
            name = f"incident-{notice.known.id}-{notice.news}"
            content = _mail(notice, settings.mail_from, to).as_bytes()
            return connection.send(Parcel(name, to, content), may_send)
        except StaleConnectionError as error:
            return SendResult(DEFERRED, str(error))
        finally:
            connection.close()

    return send


def _mail(notice: Notice, sender: str, to: str) -> EmailMessage:
    known = notice.known
    at = (known.closed_at if notice.news == OVER else None) or known.opened_at
    domain = parseaddr(sender)[1].rpartition("@")[2]
    mail = EmailMessage(policy=SMTP)
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<incident.{known.id}.{notice.news}@{domain}>"
    mail["To"] = to
    mail["From"] = sender
    mail["Subject"] = f"Daily Papers: {headline(notice)}"[:200]
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text(notice))
    return mail


def _webhook_channel(url: str) -> Channel:
    def send(notice: Notice, may_send: Callable[[], bool]) -> SendResult:
        if not may_send():
            return _WITHHELD
        try:
            answer = requests.post(
                url, json=payload(notice), timeout=_WEBHOOK_SECONDS, allow_redirects=False
            )
        except requests.RequestException as error:
            # Its text may hold the URL, and the URL is a secret: only its kind is told.
            kind = type(error).__name__
            if _never_left(error):
                return SendResult(DEFERRED, f"the webhook cannot be reached: {kind}")
            return SendResult(UNKNOWN, f"the webhook did not answer: {kind}")
        if 200 <= answer.status_code < 300:
            return SendResult(SENT)
        return SendResult(DEFERRED, f"the webhook answered {answer.status_code}")

    return send


def payload(notice: Notice) -> dict[str, object]:
    """What is posted: `text` for chat services, the rest for programs."""
    known = notice.known
    return asdict(known.incident) | {
        "text": text(notice),
        "news": notice.news,
        "incident_id": known.id,
        "opened_at": known.opened_at.isoformat(),
        "closed_at": known.closed_at.isoformat() if known.closed_at else None,
        "ending": known.ending,
    }


def _never_left(error: requests.RequestException) -> bool:
    """Whether the message surely never left; otherwise it may have arrived."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.SSLError):
        return True
    # A ValueError is a URL that is none; a connection that could not be had is told by its reason.
    reasons = [getattr(cause, "reason", None) for cause in error.args]
    return isinstance(error, ValueError) or any(isinstance(r, NewConnectionError) for r in reasons)

"""What became of a reader's mail, day by day: one true sentence each, from the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flows.issues.silence import why_no_issue
from flows.mailing import ledger_issues, transports
from flows.mailing.database import Mailing
from flows.mailing.explained import Delivery, deliveries_to
from flows.mailing.ledger_issues import Issue, newest_issues
from flows.mailing.subscribers import Subscriber
from flows.mailing.tables import EDITIONS
from flows.sources.feed_day import is_weekend, newest_closed
from flows.wording import FINAL_VERDICTS, moment

DAYS = 30
_TO_COME = timedelta(days=2)  # so long after its date an issue may still be made


@dataclass(frozen=True)
class DayOfMail:
    """A date, which edition it is about, and what became of it."""

    day: date
    edition: str
    sentence: str


def mail_history(
    mailing: Mailing, person: Subscriber, verdicts: Mapping[date, str], now: datetime
) -> list[DayOfMail]:
    """The last thirty dates of this reader, the newest first.

    A reader of the daily issue has each date; of the other editions those that were made.
    `verdicts` are those of the lists as published.
    """
    last = newest_closed(now)
    first = last - timedelta(days=DAYS - 1)
    had = {(each.edition, each.issue_date): each for each in deliveries_to(mailing, person, first)}
    made = {(each.edition, each.issue_date): each for each in newest_issues(mailing, 3 * DAYS)}
    told = []
    for back in range((now.date() - first).days + 1):
        day = now.date() - timedelta(days=back)
        for edition in reversed(EDITIONS):
            delivery, issue = had.get((edition, day)), made.get((edition, day))
            if delivery:
                told.append(DayOfMail(day, edition, _delivered(delivery)))
            elif edition not in person.rule.editions:
                continue
            elif issue:
                told.append(DayOfMail(day, edition, _not_delivered(issue, person, now)))
            elif edition == "daily" and day <= last:
                told.append(DayOfMail(day, edition, _no_issue(day, verdicts.get(day), last)))
    return told


def _delivered(delivery: Delivery) -> str:
    at, reason = f"{moment(delivery.changed_at)} UTC", delivery.reason or ""
    match delivery.state:
        case transports.SENT:
            return f"Sent {at}, but it came back." if delivery.bounce else f"Sent {at}."
        case transports.DEFERRED:
            return "On its way: your mail server asked us to wait."
        case transports.UNKNOWN:
            return "Perhaps sent: the line was cut while it was handed over."
        case transports.FAILED:
            return "Not sent: your mail server did not take it."
        case ledger_issues.CLAIMED:
            return "Being sent now."
        case _ if reason.startswith("nothing matched"):
            return "Nothing to send: no paper fits your choice."
        case _ if reason.startswith("paused until"):
            return f"Not sent: you had {reason.replace('paused', 'paused mail')}."
        case _:
            return f"Not sent: {reason or 'you were not on the list'}."


def _not_delivered(issue: Issue, person: Subscriber, now: datetime) -> str:
    if person.created_at > issue.created_at:
        return "Sent before you were on the list."
    if issue.state == ledger_issues.PAUSED:
        return "Held back for everybody; the operator has been told."
    if issue.state == ledger_issues.SENDING and now - issue.due_at < _TO_COME:
        return "On its way."
    return "It did not go out to you."


def _no_issue(day: date, verdict: str | None, last: date) -> str:
    is_open = verdict not in FINAL_VERDICTS and not is_weekend(day)
    yet = " yet" if is_open and last - day < _TO_COME else ""
    return f"No issue{yet}: {why_no_issue(day, verdict)}."

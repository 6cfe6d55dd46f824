"""What is wrong now, by what the days and the ledger say: each with its cause and the way out.

days, issues, clock ──▶ incidents
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from flows.mailing.database import Mailing
from flows.mailing.ledger_issues import (
    CLAIMED,
    DONE,
    PAUSED,
    SKIPPED,
    Issue,
    counts,
    find_issue,
    newest_issues,
)
from flows.mailing.transports import DEFERRED, SENT
from flows.operations.days import Day, known_days
from flows.operations.deadlines import deadline_after, newest_due, verdict_due_at
from flows.operations.incidents import Incident, KnownIncident
from flows.settings import Settings
from flows.wording import long_date

FAILED, GATE, HELD, MAIL, SILENT = "failed", "gate", "held", "mail", "silent"
DAILY = "daily"  # the edition that is a day's own
# Older days are history: `papers status` shows them, and nobody is woken for them.
WATCHED = timedelta(days=14)


def wrong_now(
    mailing: Mailing, settings: Settings, now: datetime, is_open: Iterable[KnownIncident]
) -> list[Incident]:
    """Everything a run can know to be wrong; a silent day only where it was found to be so before.

    That no run speaks is for `papers check` to find, from outside of the schedule (`silent_day`).
    """
    days = {day: known for day, known in known_days(mailing).items() if _is_watched(day, now)}
    found = [incident for day in days.values() for incident in _of_day(day, settings, now)]
    found += _of_mail(mailing, days, settings, now)
    still = (date.fromisoformat(i.incident.subject) for i in is_open if i.incident.kind == SILENT)
    found += [_silent(day, settings) for day in still if day not in days and _is_watched(day, now)]
    return found


def silent_day(known: Iterable[date], settings: Settings, now: datetime) -> list[Incident]:
    """The last feed day whose verdict is due, where nothing is known of it."""
    day = newest_due(now, settings)
    return [] if day in known else [_silent(day, settings)]


def ending(mailing: Mailing, known: KnownIncident, now: datetime) -> str:
    """How an incident that is no longer found ended, in one sentence."""
    kind, subject = known.incident.key
    edition, _, day = subject.rpartition(" ")
    list_date = date.fromisoformat(day)
    if not _is_watched(list_date, now):
        return f"It is more than {WATCHED.days} days old, and no longer watched."
    if kind == MAIL:
        issue = find_issue(mailing, edition, list_date)
        return issue.sentence if issue else "There is no such issue any more."
    now_known = known_days(mailing, [list_date]).get(list_date)
    return now_known.sentence if now_known else "The day is known no more."


def _is_watched(day: date, now: datetime) -> bool:
    return now.date() - day <= WATCHED


def _of_day(day: Day, settings: Settings, now: datetime) -> Iterator[Incident]:
    subject, run = str(day.list_date), f"papers run {day.list_date}"
    if day.stopped_by:
        yield Incident(
            GATE,
            subject,
            f"A gate stopped the newest reading of {long_date(day.list_date)}: {day.stopped_by}",
            "The reading is kept as evidence and reached no reader; "
            "the last good publication stays, and no mail goes out for it.",
            f"papers status {day.list_date}",
        )
    elif day.verdict == "failed":
        yield Incident(
            FAILED,
            subject,
            f"{long_date(day.list_date)} has failed: {_without_verdict(day)}",
            "Nothing new was published and no mail went out; the last good publication stays.",
            run,
        )
    elif not day.is_final and now >= verdict_due_at(day.list_date, settings):
        yield Incident(
            HELD,
            subject,
            f"{long_date(day.list_date)} is still held at {_deadline(settings)}: "
            f"{_without_verdict(day)}",
            "No mail goes out for this day until it is complete.",
            run,
        )


def _of_mail(
    mailing: Mailing, days: dict[date, Day], settings: Settings, now: datetime
) -> Iterator[Incident]:
    for issue in newest_issues(mailing):
        if not _is_watched(issue.issue_date, now):
            continue
        day = days.get(issue.issue_date) if issue.edition == DAILY else None
        if issue.state == PAUSED:
            yield _mail(mailing, issue, f"is paused: {issue.sentence.removeprefix('Paused: ')}")
        elif issue.state != DONE and day and day.is_mail_blocked:
            yield _mail(mailing, issue, f"could not be sent: {day.sentence}")
        elif issue.state != DONE and now >= deadline_after(issue.due_at, settings):
            left = counts(mailing, issue)
            if left.get(CLAIMED) or left.get(DEFERRED):
                yield _mail(
                    mailing, issue, f"is unfinished at {_deadline(settings)}: {issue.sentence}"
                )


def _mail(mailing: Mailing, issue: Issue, what: str) -> Incident:
    have = counts(mailing, issue)
    sent = have.get(SENT, 0)
    rest = sum(have.values()) - sent - have.get(SKIPPED, 0)
    edition = "" if issue.edition == DAILY else f" --edition {issue.edition}"
    return Incident(
        MAIL,
        f"{issue.edition} {issue.issue_date}",
        f"{issue.name[0].upper()}{issue.name[1:]} {what}",
        f"{sent:,} have it, {rest:,} do not, and nobody else gets it until it goes on.",
        f"papers doctor; papers issue resume {issue.issue_date}{edition}",
    )


def _silent(day: date, settings: Settings) -> Incident:
    return Incident(
        SILENT,
        str(day),
        f"{long_date(day)} has no verdict at {_deadline(settings)}: no run of it has ended.",
        "Nothing of that day was published or mailed, and what starts the runs seems to be down.",
        f"papers run {day}",
    )


def _deadline(settings: Settings) -> str:
    return f"{settings.deadline:%H:%M} {settings.timezone}"


def _without_verdict(day: Day) -> str:
    """The day's sentence without the verdict it begins with, which stands before it already."""
    words, _, rest = day.sentence.partition(". ")
    return rest if rest and words.lower().replace(" ", "_") == day.verdict else day.sentence

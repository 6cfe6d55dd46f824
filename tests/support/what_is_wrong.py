"""Each thing that can be wrong, put into a mailing list, and what the operator reads of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import insert, select

from flows.mailing import ledger_issues
from flows.mailing.database import Mailing
from flows.mailing.subscribers import add
from flows.mailing.tables import deliveries, subscribers
from flows.operations.days import Day, record_days

DAY = date(2026, 8, 20)
# Past nine in New York of the morning after, when the verdict of DAY is due.
NOW = datetime(2026, 8, 21, 13, 30, tzinfo=UTC)
READER = "ann@readers.example.org"

COMPLETE = Day(DAY, "complete", "Complete. 43 of 43 papers; 48 checks passed. Sent to 3.", NOW)
FAILED = replace(COMPLETE, verdict="failed", sentence="Failed. The Hub gave no list: it said 503.")


def failed(mailing: Mailing) -> None:
    record_days(mailing, [FAILED])


def stopped(mailing: Mailing) -> None:
    why = "The gate raw stopped it: none of the 43 papers has a single upvote."
    record_days(mailing, [replace(FAILED, sentence=f"Failed. {why}", stopped_by=why)])


def held(mailing: Mailing) -> None:
    record_days(mailing, [replace(FAILED, verdict="partial", sentence="Partial. Only 3 papers.")])


def silent(mailing: Mailing) -> None:
    """Nothing is known of the last feed day."""


def paused(mailing: Mailing) -> None:
    record_days(mailing, [COMPLETE])
    said = "Paused: 20 of 20 messages went wrong, the last: 550 no. Sent to 0, 20 failed."
    _issue(mailing, ledger_issues.PAUSED, said)


def blocked(mailing: Mailing) -> None:
    said = "Complete. 43 of 43 papers. Mail is held: the relay cannot be used."
    record_days(mailing, [replace(COMPLETE, sentence=said, is_mail_blocked=True)])
    _issue(mailing, ledger_issues.SENDING, "Not begun.")


def unfinished(mailing: Mailing) -> None:
    record_days(mailing, [COMPLETE])
    _issue(mailing, ledger_issues.SENDING, "Sent to 0, 1 deferred.")
    add(mailing, READER, now=NOW)
    with mailing.write() as connection:
        row = {"edition": "daily", "issue_date": DAY, "state": "deferred", "attempts_count": 1}
        who = connection.scalar(select(subscribers.c.id))
        connection.execute(
            insert(deliveries).values(row | {"subscriber_id": who, "changed_at": NOW})
        )


def _issue(mailing: Mailing, state: str, sentence: str) -> None:
    at = NOW - timedelta(hours=12)
    issue = ledger_issues.open_issue(mailing, "daily", DAY, due_at=at, now=at)
    ledger_issues.set_issue(mailing, issue, state, sentence, now=NOW)


def mend(mailing: Mailing) -> None:
    record_days(mailing, [COMPLETE])
    if issue := ledger_issues.find_issue(mailing, "daily", DAY):
        ledger_issues.set_issue(mailing, issue, ledger_issues.DONE, "Sent to 3.", now=NOW)


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
        "The daily issue of 2026-08-20 is paused: 20 of 20 messages went wrong",
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
        "0 have it, 1 do not",
        "papers issue resume 2026-08-20",
    ),
}

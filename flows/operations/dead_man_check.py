"""`papers check`: is all well? For cron, so that it speaks when the schedule itself is dead.

It reads what the runs kept of each day, not the warehouse, which may be busy, or gone.
"""

from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime

import duckdb

from flows.errors import OperationError
from flows.mail_setup import open_mailing
from flows.mailing.database import Mailing, MailingError
from flows.operations.alerts import look_and_tell
from flows.operations.days import known_days
from flows.operations.deadlines import newest_due
from flows.operations.incident_rules import silent_day
from flows.settings import Settings
from flows.warehouse.database import connect
from flows.wording import FINAL_VERDICTS, long_date


@dataclass(frozen=True)
class Seen:
    """What is wrong, one sentence each with its way out; or the sentence that all is well."""

    sentence: str
    wrong: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()  # the operator could not be told


def look(settings: Settings, now: datetime) -> Seen:
    """Look at the last feed day whose verdict is due, at failed and held days, and at the mail."""
    try:
        with closing(open_mailing(settings)) as mailing:
            return _look(mailing, settings, now)
    except MailingError as error:
        return Seen("", (f"{error} Nothing is known of the days and their mail.",))


def _look(mailing: Mailing, settings: Settings, now: datetime) -> Seen:
    due = newest_due(now, settings)
    known = known_days(mailing)
    published = None if due in known else _published_verdict(settings, due)
    spoken = {*known, *([due] if published in FINAL_VERDICTS else [])}
    found, troubles = look_and_tell(mailing, settings, now, silent_day(spoken, settings, now))
    wrong = tuple(f"{i.cause} {i.consequence} Run next: {i.command}" for i in found)
    verdict = known[due].verdict if due in known else published
    sentence = f"All is well: {long_date(due)}, the last day whose verdict is due, is {verdict}."
    return Seen(sentence, wrong, tuple(troubles))


def _published_verdict(settings: Settings, day: date) -> str | None:
    """The day's verdict as published: of a day that was brought by an older version of this."""
    if not settings.published_path.exists():
        return None
    query = "select verdict from marts.daily_digests where digest_date = ?"
    try:
        with connect(settings.published_path, read_only=True, patience=3) as connection:
            row = connection.execute(query, [day]).fetchone()
    except (duckdb.Error, OperationError):
        return None
    return row[0] if row else None

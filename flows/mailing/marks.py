"""The two statements around every message, straight to the database driver.

SQLAlchemy takes several times longer to hand them on than SQLite to run them; together that would
halve the messages a second.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date

from flows.mailing.database import Mailing
from flows.mailing.tables import Utc

_ROW = """where edition = {edition} and issue_date = {issue_date}
    and subscriber_id = {subscriber_id} and claimed_by = {lease}"""
_SENT = f"""update deliveries set state = 'sent', reason = null, changed_at = {{now}},
    attempts_count = attempts_count + 1 {_ROW} and state in ('claimed', 'unknown')"""
_MARK = f"""update deliveries set data_at = {{now}} {_ROW} and state = 'claimed' and exists (
    select 1 from subscribers where subscribers.id = deliveries.subscriber_id
    and (subscribers.state = 'active'
        or (subscribers.state = 'paused' and subscribers.paused_until <= {{today}})))"""


class Marks:
    """One sender's connection for what it writes around each message of an issue."""

    def __init__(self, mailing: Mailing, edition: str, issue_date: date, lease: int) -> None:
        dialect = mailing.engine.dialect
        place = "%({})s" if dialect.name == "postgresql" else ":{}"
        names = ("edition", "issue_date", "subscriber_id", "lease", "now", "today")
        places = {name: place.format(name) for name in names}
        self._sent, self._mark = _SENT.format(**places), _MARK.format(**places)
        self._moment = Utc().dialect_impl(dialect).bind_processor(dialect) or _as_is
        self._day = Date().dialect_impl(dialect).bind_processor(dialect) or _as_is
        self._same = {"edition": edition, "issue_date": self._day(issue_date), "lease": lease}
        self._mailing = mailing
        self._raw, self._begin = mailing.connect_unsynced()

    def write(self, sent: Sequence[int], begin: Sequence[int], now: datetime) -> set[int]:
        """Record in one commit which messages were taken (`sent`) and which come next (`begin`).

        Gives the ids of `begin` that may be sent: this sender still has them, and they are still
        subscribed.
        """
        same = {**self._same, "now": self._moment(now), "today": self._day(now.date())}
        with self._mailing.answering(), self._committed() as cursor:
            if self._begin:
                cursor.execute(self._begin)
            if sent:
                cursor.executemany(self._sent, [{**same, "subscriber_id": i} for i in sent])
            marked = set()
            for number in begin:
                cursor.execute(self._mark, {**same, "subscriber_id": number})
                if cursor.rowcount == 1:
                    marked.add(number)
        return marked

    @contextmanager
    def _committed(self) -> Iterator[Any]:
        try:
            yield self._raw.cursor()
            self._raw.commit()
        except BaseException:
            self._raw.rollback()
            raise

    def close(self) -> None:
        """Give the connection back."""
        self._raw.close()


def _as_is(value: Any) -> Any:  # noqa: ANN401
    return value

"""The two statements around every message, straight to the database driver.

SQLAlchemy writes them once a sender. To hand each message's on it takes several times longer than
SQLite to run it, which would halve the messages a second.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Dialect, Update, and_, bindparam, exists, or_, update

from flows.mailing.database import Mailing
from flows.mailing.ledger_issues import CLAIMED
from flows.mailing.recipients import may_be_mailed_on
from flows.mailing.tables import Utc, deliveries, subscribers
from flows.mailing.transports import SENT, UNKNOWN

_IS_OURS = and_(
    deliveries.c.edition == bindparam("of_edition"),
    deliveries.c.issue_date == bindparam("of_date"),
    deliveries.c.subscriber_id == bindparam("of_subscriber"),
    deliveries.c.claimed_by == bindparam("lease"),
)
_SENT = (
    update(deliveries)
    .where(_IS_OURS, or_(deliveries.c.state == CLAIMED, deliveries.c.state == UNKNOWN))
    .values(
        state=SENT,
        reason=None,
        attempts_count=deliveries.c.attempts_count + 1,
        changed_at=bindparam("now"),
    )
)
_MARK = (
    update(deliveries)
    .where(
        _IS_OURS,
        deliveries.c.state == CLAIMED,
        exists().where(
            subscribers.c.id == deliveries.c.subscriber_id,
            may_be_mailed_on(bindparam("today")),
        ),
    )
    .values(data_at=bindparam("now"))
)


class Marks:
    """One sender's connection for what it writes around each message of an issue."""

    def __init__(self, mailing: Mailing, edition: str, issue_date: date, lease: int) -> None:
        dialect = mailing.engine.dialect
        self._moment = Utc().dialect_impl(dialect).bind_processor(dialect) or _as_is
        self._day = Date().dialect_impl(dialect).bind_processor(dialect) or _as_is
        same = {"of_edition": edition, "of_date": self._day(issue_date), "lease": lease}
        self._sent, values = _as_text(_SENT, dialect)
        self._same_of_sent = values | same
        self._mark, values = _as_text(_MARK, dialect)
        self._same_of_mark = values | same
        self._mailing = mailing
        self._raw, self._begin = mailing.connect_unsynced()

    def write(self, sent: Sequence[int], begin: Sequence[int], now: datetime) -> set[int]:
        """Record in one commit which messages were taken (`sent`) and which come next (`begin`).

        Gives the ids of `begin` that may be sent: this sender still has them, and they are still
        subscribed.
        """
        moment = self._moment(now)
        of_sent = self._same_of_sent | {"now": moment}
        of_mark = self._same_of_mark | {"now": moment, "today": self._day(now.date())}
        with self._mailing.answering(), self._committed() as cursor:
            if self._begin:
                cursor.execute(self._begin)
            if sent:
                cursor.executemany(self._sent, [of_sent | {"of_subscriber": i} for i in sent])
            marked = set()
            for number in begin:
                cursor.execute(self._mark, of_mark | {"of_subscriber": number})
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


def _as_text(statement: Update, dialect: Dialect) -> tuple[str, dict[str, Any]]:
    """The statement as its driver takes it, and the values that it has, by name."""
    compiled = statement.compile(dialect=dialect)
    return str(compiled), dict(compiled.params)


def _as_is(value: Any) -> Any:  # noqa: ANN401
    return value

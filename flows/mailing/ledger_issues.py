"""How the mail of each issue stands: its state, its sentence, its messages by state.

An issue is an edition of a date. While it is being sent `ledger.py` keeps what becomes of each of
its messages.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, func, select, update

from flows.mailing.database import Mailing, insert
from flows.mailing.tables import deliveries, issues
from flows.mailing.transports import DEFERRED, FAILED, UNKNOWN

SENDING, PAUSED, DONE = "sending", "paused", "done"
CLAIMED, SKIPPED = "claimed", "skipped"  # of a message, beside what a transport gives


@dataclass(frozen=True)
class Issue:
    """An edition of a date, as mail. `due_at`: when it could first have gone out; its age."""

    edition: str
    issue_date: date
    state: str
    sentence: str
    due_at: datetime
    created_at: datetime

    @property
    def name(self) -> str:
        """How people call it: “the daily issue of 2026-08-13”."""
        return f"the {self.edition} issue of {self.issue_date}"


@dataclass(frozen=True)
class DeliveryCount:
    """How many messages of an issue are in a state: what analysts may see."""

    issue_date: date
    edition: str
    state: str
    count: int


def open_issue(
    mailing: Mailing, edition: str, issue_date: date, *, due_at: datetime, now: datetime
) -> Issue:
    """The issue in the ledger, new or as it stands."""
    with mailing.write() as connection:
        connection.execute(
            insert(connection)(issues)
            .values(
                edition=edition,
                issue_date=issue_date,
                state=SENDING,
                sentence="Not begun.",
                due_at=due_at,
                created_at=now,
                changed_at=now,
            )
            .on_conflict_do_nothing()
        )
    issue = find_issue(mailing, edition, issue_date)
    assert issue is not None  # noqa: S101  # nothing deletes issues
    return issue


def find_issue(mailing: Mailing, edition: str, issue_date: date) -> Issue | None:
    """The issue as it stands, or None if the ledger has none."""
    with mailing.read() as connection:
        row = connection.execute(select(issues).where(is_of(issues, edition, issue_date))).first()
    return None if row is None else _issue(row)


def newest_issues(mailing: Mailing, limit: int = 30) -> list[Issue]:
    """The newest issues, newest first."""
    newest = select(issues).order_by(issues.c.issue_date.desc(), issues.c.edition).limit(limit)
    with mailing.read() as connection:
        return [_issue(row) for row in connection.execute(newest)]


def is_superseded(mailing: Mailing, issue: Issue) -> bool:
    """Whether the ledger has a newer issue of the same edition."""
    newer = select(issues.c.edition).where(
        issues.c.edition == issue.edition, issues.c.issue_date > issue.issue_date
    )
    with mailing.read() as connection:
        return connection.execute(newer).first() is not None


def set_issue(mailing: Mailing, issue: Issue, state: str, sentence: str, *, now: datetime) -> Issue:
    """The issue in a new state, with the sentence why."""
    with mailing.write() as connection:
        return _in_state(connection, issue, state, sentence, now)


Ending = Callable[[Issue, Mapping[str, int]], tuple[str, str]]
"""The state and the sentence of an issue, from how it stands and its counts by state."""


def settle_issue(mailing: Mailing, issue: Issue, ending: Ending, *, now: datetime) -> Issue:
    """The issue in the state that `ending` finds right; of several who ask at once, one by one.

    Each has written down what became of its messages before, so the last one counts them all.
    """
    of_issue = is_of(issues, issue.edition, issue.issue_date)
    with mailing.write() as connection:
        meanwhile = connection.execute(select(issues).where(of_issue).with_for_update()).one()
        state, sentence = ending(_issue(meanwhile), _by_state(connection, issue))
        return _in_state(connection, issue, state, sentence, now)


def set_issue_due(mailing: Mailing, issue: Issue, due_at: datetime) -> Issue:
    """The issue with another moment from which its age counts."""
    with mailing.write() as connection:
        return _changed(connection, issue, due_at=due_at)


def counts(mailing: Mailing, issue: Issue) -> dict[str, int]:
    """How many messages of the issue are in each state."""
    with mailing.read() as connection:
        return _by_state(connection, issue)


def delivery_counts(
    mailing: Mailing, condition: ColumnElement[bool] | None = None
) -> list[DeliveryCount]:
    """One row an issue and state: no person can be told from it."""
    query = _COUNTS if condition is None else _COUNTS.where(condition)
    with mailing.read() as connection:
        return [DeliveryCount(*row) for row in connection.execute(query)]


def next_attempt_at(mailing: Mailing, issue: Issue) -> datetime | None:
    """When the first of the deferred messages is due again, or None if there are none."""
    soonest = select(func.min(deliveries.c.next_attempt_at)).where(
        is_of(deliveries, issue.edition, issue.issue_date), deliveries.c.state == DEFERRED
    )
    with mailing.read() as connection:
        moment: datetime | None = connection.scalar(soonest)
    return moment


def requeue(mailing: Mailing, issue: Issue, state: str, *, now: datetime) -> int:
    """Let the operator send again what is `unknown` or `failed`; how many messages that is."""
    if state not in {UNKNOWN, FAILED}:
        raise ValueError(f"Only unknown and failed messages can be sent again, not {state} ones.")
    with mailing.write() as connection:
        again = connection.execute(
            update(deliveries)
            .where(is_of(deliveries, issue.edition, issue.issue_date), deliveries.c.state == state)
            .values(
                state=DEFERRED,
                next_attempt_at=now,
                reason=f"sent again by the operator, was {state}",
                data_at=None,
                claimed_by=None,
                changed_at=now,
            )
        )
        connection.execute(
            update(issues)
            .where(is_of(issues, issue.edition, issue.issue_date), issues.c.state == DONE)
            .values(state=SENDING, changed_at=now)
        )
    return again.rowcount


def is_due(now: datetime) -> ColumnElement[bool]:
    """The deliveries that were deferred until now or before."""
    return and_(deliveries.c.state == DEFERRED, deliveries.c.next_attempt_at <= now)


def is_of(table: Table, edition: str, issue_date: date) -> ColumnElement[bool]:
    """Whether a row is of this issue."""
    return and_(table.c.edition == edition, table.c.issue_date == issue_date)


_KEYS = (deliveries.c.issue_date, deliveries.c.edition, deliveries.c.state)
_COUNTS = select(*_KEYS, func.count().label("count")).group_by(*_KEYS).order_by(*_KEYS)


def _by_state(connection: Connection, issue: Issue) -> dict[str, int]:
    of_issue = _COUNTS.where(is_of(deliveries, issue.edition, issue.issue_date))
    return {state: count for _, _, state, count in connection.execute(of_issue)}


def _in_state(
    connection: Connection, issue: Issue, state: str, sentence: str, changed_at: datetime
) -> Issue:
    return _changed(connection, issue, state=state, sentence=sentence[:500], changed_at=changed_at)


def _changed(connection: Connection, issue: Issue, **values: object) -> Issue:
    row = connection.execute(
        update(issues)
        .where(is_of(issues, issue.edition, issue.issue_date))
        .values(**values)
        .returning(*issues.c)
    ).one()
    return _issue(row)


def _issue(row: Row[Any]) -> Issue:
    return Issue(*(getattr(row, name) for name in Issue.__dataclass_fields__))

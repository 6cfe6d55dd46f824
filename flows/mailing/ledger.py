"""What became of each message: one row per (edition, issue date, subscriber), written around SMTP.

    (no row) ──claim──▶ claimed ──mark──▶ past DATA ──250──▶ sent
                           │ sender died      ├─4xx──▶ deferred: again after a pause
                           ▼                  ├─5xx──▶ failed
                        deferred              └─cut, or the sender died──▶ unknown

Each step is one atomic statement, on SQLite and PostgreSQL: whichever of two senders claims first
has the row, and a mark succeeds only for the sender that still holds the claim, and only while the
reader still is subscribed. A commit carries the outcomes and the marks of all connections that
wait for it, so that syncing each to the disk costs little.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Row,
    Select,
    String,
    and_,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from flows.mailing.addresses import parse_address
from flows.mailing.database import Mailing, insert
from flows.mailing.leases import is_alive, is_certain
from flows.mailing.ledger_issues import CLAIMED, SKIPPED, Issue, is_due, is_of
from flows.mailing.marks import Marks
from flows.mailing.recipients import READER_COLUMNS, Reader, has_chosen, is_paused_on, reader_of
from flows.mailing.rules import Rule
from flows.mailing.subscribers import suppress_after_soft_failures, suppress_on
from flows.mailing.tables import Utc, deliveries, subscribers
from flows.mailing.transports import DEFERRED, FAILED, SENT, UNKNOWN, WITHHELD, SendResult

# A pause after each failed attempt; RFC 5321 asks for half an hour at least. All of them together
# are shorter than the longest life an issue has by default.
_PAUSES = [timedelta(hours=h) for h in (0.5, 1, 2, 4, 8, 16)]
TOO_LATE = "not accepted within"  # the reason of a delivery that only came too late begins so
PAGE = 200  # what a sender claims at a time, and so what work is shared by


class Ledger:
    """One sender's hand in the ledger of one issue; safe for its threads."""

    def __init__(
        self,
        mailing: Mailing,
        issue: Issue,
        lease: int,
        clock: Callable[[], datetime],
        takes: Callable[[Rule], bool] = lambda _rule: True,
    ) -> None:
        self._mailing, self._lease, self._clock, self._takes = mailing, lease, clock, takes
        self._edition, self._issue_date = issue.edition, issue.issue_date
        self._of_issue = is_of(deliveries, issue.edition, issue.issue_date)
        self._entries: deque[_Entry] = deque()
        self._turn = threading.Lock()
        self._marks: Marks | None = None  # once the first message goes
        self._refusals: list[Result] = []  # not yet counted against their readers
        self._confirmed_count = 0  # of these, the ones after which somebody was reached

    def close(self) -> None:
        """Let go of the connection that marks are written on."""
        if self._marks:
            self._marks.close()

    def recover(self) -> bool:
        """Take over dead senders' claims: again before DATA, in doubt after it; were there any?"""
        claimed = and_(self._of_issue, deliveries.c.state == CLAIMED)
        query = select(deliveries.c.claimed_by).where(claimed).distinct()
        with self._mailing.read() as connection:
            owners = connection.scalars(query).all()
        dead = [o for o in owners if o != self._lease and not is_alive(self._mailing, o)]
        for owner in dead:
            self._give_back(owner, "its sender died before DATA")
        return bool(dead)

    def give_back(self, reason: str) -> None:
        """Let others have what this sender claimed and did not begin."""
        self._give_back(self._lease, reason)

    def _give_back(self, owner: int, reason: str) -> None:
        now = self._clock()
        theirs = and_(
            self._of_issue, deliveries.c.state == CLAIMED, deliveries.c.claimed_by == owner
        )
        if is_certain(self._mailing, owner):
            doubtful, doubt = and_(theirs, deliveries.c.data_at.is_not(None)), "its sender died"
        else:
            doubtful, doubt = theirs, "the machine went down"
        rows = select(deliveries.c.subscriber_id).where(theirs)
        with self._mailing.write() as connection:
            # In one order: two who find the same sender dead would else wait for each other.
            connection.execute(rows.order_by(deliveries.c.subscriber_id).with_for_update())
            connection.execute(
                update(deliveries)
                .where(doubtful)
                .values(state=UNKNOWN, reason=f"{doubt} before an answer", changed_at=now)
            )
            connection.execute(
                update(deliveries)
                .where(theirs)
                .values(state=DEFERRED, reason=reason, next_attempt_at=now, changed_at=now)
            )

    def count_refusals(self, *, is_relay_sound: bool) -> None:
        """Count this sender's refusals against their readers, or take them back: tried again later.

        A refusal counts if the other side took a message after it, or if all went well in the end
        (`is_relay_sound`). While everybody is refused it is no reader's fault, whatever it says.
        """
        counted_count = len(self._refusals) if is_relay_sound else self._confirmed_count
        for reader, outcome in self._refusals[:counted_count]:
            with self._mailing.write() as connection:
                if outcome.is_address_bad:
                    reason = f"refused for good: {outcome.reason}"
                    suppress_on(connection, parse_address(reader.address), reason, self._clock())
                else:
                    suppress_after_soft_failures(connection, reader.id, self._clock())
        ids = [reader.id for reader, _ in self._refusals[counted_count:]]
        with self._mailing.write() as connection:
            connection.execute(
                update(deliveries)
                .where(
                    self._of_issue,
                    deliveries.c.subscriber_id.in_(ids),
                    deliveries.c.state == FAILED,
                )
                .values(state=DEFERRED, next_attempt_at=self._clock() + _PAUSES[0])
            )
        self._refusals.clear()

    def make_due(self) -> None:
        """Make every deferred delivery, and every one that was only too late, due now."""
        waits = deliveries.c.state == DEFERRED
        is_late = and_(deliveries.c.state == FAILED, deliveries.c.reason.startswith(TOO_LATE))
        with self._mailing.write() as connection:
            connection.execute(
                update(deliveries)
                .where(self._of_issue, or_(waits, is_late))
                .values(state=DEFERRED, next_attempt_at=self._clock())
            )

    def expire(self, reason: str) -> None:
        """Mark as failed what is still deferred: the issue is too old."""
        with self._mailing.write() as connection:
            late = connection.scalars(
                update(deliveries)
                .where(self._of_issue, deliveries.c.state == DEFERRED)
                .values(state=FAILED, reason=reason, changed_at=self._clock())
                .returning(deliveries.c.subscriber_id)
            ).all()
            for subscriber_id in late:
                suppress_after_soft_failures(connection, subscriber_id, self._clock())

    def waiting_count(self) -> int:
        """How many readers chose this edition and have neither had the issue nor been passed by."""
        chosen = select(func.count()).select_from(subscribers).where(has_chosen(self._edition))
        # A row that is not theirs any more may be of who has left. As a difference, since of an
        # issue that has just begun PostgreSQL knows of no rows, and would join all with all.
        dealt_with = chosen.join(deliveries).where(self._of_issue, deliveries.c.state != DEFERRED)
        with self._mailing.read() as connection:
            return int(
                connection.scalar(select(chosen.scalar_subquery() - dealt_with.scalar_subquery()))
                or 0
            )

    def is_anything_due(self) -> bool:
        """Whether a deferred message is due now."""
        due = select(deliveries.c.state).where(self._of_issue, is_due(self._clock())).limit(1)
        with self._mailing.read() as connection:
            return connection.execute(due).first() is not None

    def claim_deferred(self) -> Iterator[list[Reader]]:
        """Give pages of readers to whom a deferred message is due now; they are ours alone."""
        due = and_(self._of_issue, is_due(self._clock()))
        query = select(*READER_COLUMNS).join(deliveries).where(due)
        for page in self._pages(query):
            readers = [reader for row in page if self._takes((reader := reader_of(row)).rule)]
            # What another sender claims at this moment is left to it: nobody waits for anybody.
            free = (
                select(deliveries.c.subscriber_id)
                .where(due, deliveries.c.subscriber_id.in_([reader.id for reader in readers]))
                .with_for_update(skip_locked=True)
            )
            with self._mailing.write() as connection:
                claim = (
                    update(deliveries)
                    .where(due, deliveries.c.subscriber_id.in_(connection.scalars(free).all()))
                    .values(state=CLAIMED, claimed_by=self._lease, data_at=None)
                    .returning(deliveries.c.subscriber_id)
                )
                ours = set(connection.scalars(claim))
            yield [reader for reader in readers if reader.id in ours]

    def claim_new(self, has_papers: Callable[[Reader], bool]) -> Iterator[list[Reader]]:
        """Give pages of readers who have no row yet; they are ours alone.

        Who is paused, or for whose rule there are no papers, gets a row that says so instead.
        """
        is_paused = is_paused_on(self._clock().date()).label("is_paused")
        query = select(*READER_COLUMNS, subscribers.c.paused_until, is_paused).where(
            has_chosen(self._edition)
        )
        for page in self._pages(query):
            # A query of its own: of an issue that has just begun PostgreSQL knows of no rows yet,
            # and would join all of them with all readers, for each page.
            known = select(deliveries.c.subscriber_id).where(
                self._of_issue, deliveries.c.subscriber_id.in_([row.id for row in page])
            )
            with self._mailing.read() as connection:
                has_row = set(connection.scalars(known))
            skipped, claimed = dict[str, list[int]](), list[Reader]()
            for row in page:
                if row.id in has_row or not self._takes((reader := reader_of(row)).rule):
                    continue
                if row.is_paused:
                    skipped.setdefault(f"paused until {row.paused_until}", []).append(row.id)
                elif has_papers(reader):
                    claimed.append(reader)
                else:
                    skipped.setdefault("nothing matched their choice", []).append(row.id)
            with self._mailing.write() as connection:
                for reason, ids in skipped.items():
                    self._insert(connection, ids, SKIPPED, reason)
                ours = self._insert(connection, [reader.id for reader in claimed], CLAIMED, None)
            yield [reader for reader in claimed if reader.id in ours]

    def _insert(
        self, connection: Connection, ids: list[int], state: str, reason: str | None
    ) -> set[int]:
        """The subscribers whose row is new, and so is ours."""
        columns = {
            "edition": literal(self._edition),
            "issue_date": literal(self._issue_date, deliveries.c.issue_date.type),
            "subscriber_id": subscribers.c.id,
            "state": literal(state),
            "reason": literal(reason, String),
            "attempts_count": literal(0),
            "claimed_by": literal(self._lease, BigInteger),
            "changed_at": literal(self._clock(), Utc),
        }
        rows = select(*columns.values()).where(subscribers.c.id.in_(ids)).order_by(subscribers.c.id)
        done = connection.scalars(
            insert(connection)(deliveries)
            .from_select(list(columns), rows)
            .on_conflict_do_nothing()
            .returning(deliveries.c.subscriber_id)
        )
        return set(done)

    def _pages(self, query: Select[Any]) -> Iterator[Sequence[Row[Any]]]:
        """The rows by rule, so that one rendering serves its readers in a row; page by page."""
        order = tuple_(subscribers.c.rule_key, subscribers.c.id)
        last: tuple[str, int] = ("", 0)
        while True:
            after = order > tuple_(literal(last[0]), literal(last[1]))
            with self._mailing.read() as connection:
                page = connection.execute(
                    query.where(after)
                    .order_by(subscribers.c.rule_key, subscribers.c.id)
                    .limit(PAGE)
                ).all()
            if not page:
                return
            yield page
            last = (page[-1].rule_key, page[-1].id)

    def note(self, outcomes: Sequence["Result"], begin: Reader | None = None) -> bool:
        """Record outcomes and mark the next message as begun; gives whether it may be sent.

        On return all of it outlives this process. Whoever gets the turn writes for all who wait.
        """
        if not outcomes and begin is None:
            return False
        entry = _Entry(tuple(outcomes), begin)
        self._entries.append(entry)
        with self._turn:
            if not entry.is_written and entry.error is None:
                self._write()
        if entry.error is not None:
            raise entry.error
        return entry.may_send

    def _write(self) -> None:
        batch = [self._entries.popleft() for _ in range(len(self._entries))]
        results = [result for entry in batch for result in entry.outcomes]
        try:
            self._record([result for result in results if result[1].state != SENT])
            if any(outcome.state == SENT for _, outcome in results):
                self._confirmed_count = len(self._refusals)
            self._marks = self._marks or Marks(
                self._mailing, self._edition, self._issue_date, self._lease
            )
            marked = self._marks.write(
                [reader.id for reader, outcome in results if outcome.state == SENT],
                [entry.begin.id for entry in batch if entry.begin],
                self._clock(),
            )
        except Exception as error:
            for entry in batch:
                entry.error = error
            raise
        for entry in batch:
            entry.may_send = entry.begin is not None and entry.begin.id in marked
            entry.is_written = True

    def _record(self, results: Sequence["Result"]) -> None:
        """Write down what was not plainly sent."""
        if not results:
            return
        with self._mailing.write() as connection:
            for reader, outcome in results:
                self._record_one(connection, reader, outcome)

    def _record_one(self, connection: Connection, reader: Reader, outcome: SendResult) -> None:
        if outcome.state == WITHHELD:
            reason = outcome.reason or _why(connection, reader)
            self._update(connection, reader, state=SKIPPED, reason=reason)
        elif outcome.state == UNKNOWN:
            self._update(connection, reader, state=UNKNOWN, reason=outcome.reason)
        elif outcome.state == DEFERRED:
            self._defer(connection, reader, outcome.reason)
        elif outcome.state == FAILED:
            self._update(connection, reader, state=FAILED, reason=outcome.reason)
            self._refusals.append((reader, outcome))

    def _update(self, connection: Connection, reader: Reader, **values: Any) -> None:  # noqa: ANN401
        connection.execute(
            update(deliveries)
            .where(
                self._of_issue,
                deliveries.c.subscriber_id == reader.id,
                deliveries.c.claimed_by == self._lease,
                # a lease that was lost (PostgreSQL went away) may have been recovered meanwhile;
                # an answer is better than a doubt
                deliveries.c.state.in_([CLAIMED, UNKNOWN]),
            )
            .values(
                attempts_count=deliveries.c.attempts_count + 1,
                changed_at=self._clock(),
                **values,
            )
        )

    def _defer(self, connection: Connection, reader: Reader, reason: str) -> None:
        attempts: int = connection.execute(
            select(deliveries.c.attempts_count).where(
                self._of_issue, deliveries.c.subscriber_id == reader.id
            )
        ).scalar_one()
        pause = _PAUSES[min(attempts, len(_PAUSES) - 1)]
        self._update(
            connection,
            reader,
            state=DEFERRED,
            reason=reason,
            data_at=None,
            next_attempt_at=self._clock() + pause,
        )


Result = tuple[Reader, SendResult]


@dataclass(eq=False)
class _Entry:
    """What one thread wants written, and whether it was."""

    outcomes: Sequence[Result]
    begin: Reader | None
    may_send: bool = False
    is_written: bool = False
    error: Exception | None = None


def _why(connection: Connection, reader: Reader) -> str:
    row = connection.execute(
        select(subscribers.c.state, subscribers.c.paused_until).where(subscribers.c.id == reader.id)
    ).one()
    return f"paused until {row.paused_until}" if row.state == "paused" else f"{row.state} meanwhile"

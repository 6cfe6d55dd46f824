"""What the operator has to know: one message when it begins, one when it is over, nothing twice.

    found ─open──▶ incident ─▶ a notice a channel:  due ──claim──▶ claimed ──begin──▶ sent
    gone ──close─▶ over     ─▶ a notice a channel    ▲ sender died ──┘          └─cut──▶ unknown

The same rule as the ledger's: a row is claimed before a connection opens, a dead sender's claim is
given back unless the message may have left, and what may have left is never sent again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, literal, select, update

from flows.mailing.database import Mailing, insert
from flows.mailing.leases import is_alive
from flows.mailing.tables import Utc, incidents, notices

OPENED, OVER = "opened", "over"
DUE, CLAIMED, SENT, UNKNOWN, MOOT = "due", "claimed", "sent", "unknown", "moot"


@dataclass(frozen=True)
class Incident:
    """Something the operator has to know; `kind` and `subject` say which, the rest what to do."""

    kind: str
    subject: str
    cause: str
    consequence: str
    command: str

    @property
    def key(self) -> tuple[str, str]:
        """The identity of the incident: two looks with the same key saw the same one."""
        return self.kind, self.subject


@dataclass(frozen=True)
class KnownIncident:
    """An incident as it is kept. Times are UTC."""

    id: int
    incident: Incident
    opened_at: datetime
    closed_at: datetime | None = None
    ending: str | None = None


@dataclass(frozen=True)
class Notice:
    """A message that the claimant has to send; `news` is `opened` or `over`."""

    known: KnownIncident
    news: str
    channel: str


def open_incidents(mailing: Mailing) -> list[KnownIncident]:
    """The incidents that are not over, oldest first."""
    query = select(incidents).where(incidents.c.closed_at.is_(None)).order_by(incidents.c.id)
    with mailing.read() as connection:
        return [_known(row) for row in connection.execute(query)]


def open_incident(mailing: Mailing, incident: Incident, *, now: datetime) -> None:
    """Keep an incident; of one that is open already, what is said of it now."""
    with mailing.write() as connection:
        is_it = and_(
            incidents.c.kind == incident.kind,
            incidents.c.subject == incident.subject,
            incidents.c.closed_at.is_(None),
        )
        if connection.execute(update(incidents).where(is_it).values(**asdict(incident))).rowcount:
            return
        connection.execute(
            insert(connection)(incidents)
            .values(**asdict(incident), opened_at=now)
            .on_conflict_do_nothing()
        )


def close_incident(mailing: Mailing, known: KnownIncident, ending: str, *, now: datetime) -> None:
    """Say that it is over; a message about its beginning that never left is not sent any more."""
    with mailing.write() as connection:
        connection.execute(
            update(incidents)
            .where(incidents.c.id == known.id, incidents.c.closed_at.is_(None))
            .values(closed_at=now, ending=ending)
        )
        connection.execute(
            update(notices)
            .where(
                notices.c.incident_id == known.id,
                notices.c.news == OPENED,
                notices.c.state == DUE,
            )
            .values(state=MOOT, changed_at=now)
        )


def claim_notices(
    mailing: Mailing, channels: Sequence[str], lease: int, *, now: datetime
) -> list[Notice]:
    """The messages that nobody has sent and nobody else is sending; they are ours alone."""
    _recover(mailing, now)
    with mailing.write() as connection:
        _add_due(connection, channels, now)
        claimed = connection.execute(
            update(notices)
            .where(notices.c.state == DUE, notices.c.channel.in_(channels))
            .values(state=CLAIMED, claimed_by=lease, data_at=None, changed_at=now)
            .returning(notices.c.incident_id, notices.c.news, notices.c.channel)
        ).all()
        of = incidents.c.id.in_([row.incident_id for row in claimed])
        known = {row.id: _known(row) for row in connection.execute(select(incidents).where(of))}
    found = [Notice(known[row.incident_id], row.news, row.channel) for row in claimed]
    return sorted(found, key=lambda notice: (notice.known.id, notice.news, notice.channel))


def begin(mailing: Mailing, notice: Notice, lease: int, *, now: datetime) -> bool:
    """Mark that the message leaves now; whether it still may."""
    with mailing.write() as connection:
        marked = connection.execute(
            update(notices)
            .where(_is(notice), notices.c.state == CLAIMED, notices.c.claimed_by == lease)
            .values(data_at=now, changed_at=now)
        )
    return marked.rowcount == 1


def finish(
    mailing: Mailing, notice: Notice, lease: int, state: str, reason: str, *, now: datetime
) -> None:
    """Note what became of a message that was ours: `sent`, `unknown`, or `due` once more."""
    with mailing.write() as connection:
        connection.execute(
            update(notices)
            .where(_is(notice), notices.c.claimed_by == lease)
            .values(state=state, reason=reason[:500] or None, claimed_by=None, changed_at=now)
        )


def _recover(mailing: Mailing, now: datetime) -> None:
    """Take over dead senders' messages: one not begun is sent again, a begun one is in doubt."""
    claimed = notices.c.state == CLAIMED
    with mailing.read() as connection:
        owners = connection.scalars(select(notices.c.claimed_by).where(claimed).distinct()).all()
    for owner in owners:
        if not is_alive(mailing, owner):
            theirs = and_(claimed, notices.c.claimed_by == owner)
            with mailing.write() as connection:
                for doubt, state in ((notices.c.data_at.is_not(None), UNKNOWN), (theirs, DUE)):
                    connection.execute(
                        update(notices)
                        .where(theirs, doubt)
                        .values(state=state, reason="its sender died", changed_at=now)
                    )


def _add_due(connection: Connection, channels: Iterable[str], now: datetime) -> None:
    """A message about every open incident, and about the end of each that began a message."""
    for channel in channels:
        begun = select(notices.c.incident_id).where(
            notices.c.channel == channel, notices.c.news == OPENED
        )
        for news, which in (
            (OPENED, incidents.c.closed_at.is_(None)),
            (OVER, and_(incidents.c.closed_at.is_not(None), incidents.c.id.in_(begun))),
        ):
            values = {
                "incident_id": incidents.c.id,
                "news": literal(news),
                "channel": literal(channel),
                "state": literal(DUE),
                "changed_at": literal(now, Utc),
            }
            connection.execute(
                insert(connection)(notices)
                .from_select(list(values), select(*values.values()).where(which))
                .on_conflict_do_nothing()
            )


def _is(notice: Notice) -> ColumnElement[bool]:
    return and_(
        notices.c.incident_id == notice.known.id,
        notices.c.news == notice.news,
        notices.c.channel == notice.channel,
    )


def _known(row: Row[Any]) -> KnownIncident:
    incident = Incident(row.kind, row.subject, row.cause, row.consequence, row.command)
    return KnownIncident(row.id, incident, row.opened_at, row.closed_at, row.ending)

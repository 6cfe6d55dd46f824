"""The list: who is on it, how they come, pause, leave, and why some cannot come back.

    page ──▶ unconfirmed ──confirm──▶ active ◀──▶ paused until a date
    operator, import ───────────────▶ active ──leave──▶ unsubscribed
                                             ──bounce, complaint──▶ suppressed

Whoever left can come back only by confirming on the page; a suppressed address only when the
operator lifts it; an erased one leaves a hash, so that no import brings it back.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, get_args

from sqlalchemy import Connection, Row, delete, select, update

from flows.errors import OperationError
from flows.mailing.addresses import Address, parse_address
from flows.mailing.database import Mailing, insert
from flows.mailing.recipients import SUBSCRIBED, is_subscribed
from flows.mailing.rules import Rule
from flows.mailing.tables import deliveries, subscribers, suppressions
from flows.mailing.transports import FAILED, SENT

State = Literal["unconfirmed", "active", "paused", "unsubscribed", "suppressed"]
STATES: tuple[str, ...] = get_args(State)
_UNCONFIRMED_LIFE = timedelta(days=30)
_SOFT_FAILURES_MAX = 3  # issues refused in a row
_ERASED = "erased at their wish"
_CLOSED = "This address can no longer be subscribed; write to the operator."


class RefusedError(OperationError):
    """The list cannot do that for this person; the message says why and what would help."""


@dataclass(frozen=True)
class Subscriber:
    """One person on the list. `address` is None once erased."""

    id: int
    public_id: str
    address: str | None
    state: str
    paused_until: date | None
    rule: Rule
    source: str
    created_at: datetime
    changed_at: datetime

    @property
    def is_subscribed(self) -> bool:
        """Whether they are on the list and have not left, be they paused or not."""
        return self.state in SUBSCRIBED

    @property
    def standing(self) -> str:
        """The state in words, with its date: “paused until 2026-09-01”."""
        if self.state == "paused":
            return f"paused until {self.paused_until}"
        return f"{self.state} since {self.changed_at:%Y-%m-%d}"


def _subscriber(row: Row[Any]) -> Subscriber:
    names = set(Subscriber.__dataclass_fields__) - {"rule"}
    kept = {name: getattr(row, name) for name in names}
    return Subscriber(**kept, rule=Rule.from_json(row.rule))


def add(
    mailing: Mailing,
    address: str,
    *,
    now: datetime,
    rule: Rule | None = None,
) -> Subscriber:
    """A new active subscriber, vouched for by the operator. Raises AddressError, RefusedError."""
    parsed = parse_address(address)
    with mailing.write() as connection:
        (why_not,) = add_many(connection, [(parsed, rule or Rule())], "operator", now)
        if why_not:
            raise RefusedError(why_not)
        return _by_key(connection, parsed.key)


def add_many(
    connection: Connection, entries: Sequence[tuple[Address, Rule]], source: str, now: datetime
) -> list[str | None]:
    """Add active subscribers in the caller's transaction; for each None, or why it was not added.

    One query looks up a few hundred: an entry at a time, a long list takes minutes.
    """
    suppressed = why_suppressed(connection, [address.hash for address, _ in entries])
    keys = [address.key for address, _ in entries]
    rows = connection.execute(select(subscribers).where(subscribers.c.address_key.in_(keys)))
    old = {row.address_key: _subscriber(row) for row in rows}
    new: dict[str, dict[str, Any]] = {}
    answers: list[str | None] = []
    for address, rule in entries:
        known = old.get(address.key)
        why_not = _why_not(address, suppressed.get(address.hash), known)
        if address.key in new:
            why_not = f"{address.text} stands there twice."
        answers.append(why_not)
        if why_not is None:
            new[address.key] = _row(address, "active", rule, source, now)
            if known:  # asked by the page and never confirmed; now somebody vouches for them
                connection.execute(delete(subscribers).where(subscribers.c.id == known.id))
    if new:
        connection.execute(insert(connection)(subscribers), list(new.values()))
    return answers


def _why_not(address: Address, suppressed: str | None, old: Subscriber | None) -> str | None:
    if suppressed:
        return f"{address.text} is suppressed: {suppressed}."
    if old is None or old.state == "unconfirmed":
        return None
    if old.state == "unsubscribed":
        left_on = f"{old.changed_at:%Y-%m-%d}"
        return f"{address.text} left on {left_on}; they can come back by the subscribe page only."
    return f"{address.text} is on the list already, {old.standing}."


def subscribe(mailing: Mailing, address: str, *, rule: Rule, now: datetime) -> Subscriber | None:
    """Who asked by the page, as they stand now; None where no mail may be sent to them.

    Unconfirmed and unsubscribed people get a mail to confirm by and the new choice; nothing changes
    for an active one, since anybody can type an address. Raises AddressError.
    """
    parsed = parse_address(address)
    with mailing.write() as connection:
        connection.execute(
            delete(subscribers).where(
                subscribers.c.state == "unconfirmed",
                subscribers.c.created_at < now - _UNCONFIRMED_LIFE,
            )
        )
        suppressed = why_suppressed(connection, [parsed.hash]).get(parsed.hash)
        if suppressed and suppressed != _ERASED:
            return None
        old = _by(connection, subscribers.c.address_key == parsed.key)
        if old is None:
            row = _row(parsed, "unconfirmed", rule, "page", now)
            connection.execute(insert(connection)(subscribers), [row])
            return _by_key(connection, parsed.key)
        if old.state in {"unconfirmed", "unsubscribed"}:
            return _set(connection, old.id, old.changed_at, address=parsed.text, **_choice(rule))
        return old


def confirm(mailing: Mailing, public_id: str, *, now: datetime) -> Subscriber:
    """The subscriber, active from now on; confirming twice is no error. Raises RefusedError."""
    with mailing.write() as connection:
        person = _known(connection, public_id)
        if person.state in {"unconfirmed", "unsubscribed"} and person.address:
            # coming back is their own wish: the mark of an earlier erasure goes, and no other
            hashed = parse_address(person.address).hash
            is_theirs = suppressions.c.address_hash == hashed
            connection.execute(
                delete(suppressions).where(is_theirs, suppressions.c.reason == _ERASED)
            )
            if connection.execute(select(suppressions).where(is_theirs)).first():
                raise RefusedError(_CLOSED)
            return _set(connection, person.id, now, state="active", paused_until=None)
        if person.is_subscribed:
            return person
        raise RefusedError(_CLOSED)


def unsubscribe(mailing: Mailing, public_id: str, *, now: datetime) -> Subscriber:
    """The subscriber, gone from now on; leaving twice is no error. Raises RefusedError."""
    with mailing.write() as connection:
        person = _known(connection, public_id)
        if person.state == "unsubscribed":
            return person
        return _set(connection, person.id, now, state="unsubscribed", paused_until=None)


def pause(mailing: Mailing, public_id: str, until: date | None, *, now: datetime) -> Subscriber:
    """The subscriber, silent until the date (None: mail again at once). Raises RefusedError."""
    with mailing.write() as connection:
        person = _known(connection, public_id)
        if not person.is_subscribed:
            raise RefusedError(
                f"Only who is subscribed can pause; this address is {person.standing}."
            )
        if until is None:
            return _set(connection, person.id, now, state="active", paused_until=None)
        if not now.date() < until <= now.date() + timedelta(days=366):
            raise RefusedError("A pause ends on a day after today, within a year.")
        return _set(connection, person.id, now, state="paused", paused_until=until)


def choose_for(mailing: Mailing, public_id: str, *, rule: Rule) -> Subscriber:
    """The subscriber with a new choice. Raises RefusedError if unknown."""
    with mailing.write() as connection:
        person = _known(connection, public_id)
        return _set(connection, person.id, person.changed_at, **_choice(rule))


def suppress(mailing: Mailing, address: str, reason: str, *, now: datetime) -> bool:
    """Never write to the address again; whether that is new. Raises AddressError."""
    with mailing.write() as connection:
        return suppress_on(connection, parse_address(address), reason, now)


def suppress_on(connection: Connection, address: Address, reason: str, now: datetime) -> bool:
    """Suppress inside a transaction of the caller's.

    Who left or never confirmed stays as they are: lifting it must not subscribe them.
    """
    done = connection.execute(
        insert(connection)(suppressions)
        .values(address_hash=address.hash, reason=reason[:200], created_at=now)
        .on_conflict_do_nothing()
        .returning(suppressions.c.address_hash)
    ).first()
    connection.execute(
        update(subscribers)
        .where(
            subscribers.c.address_key == address.key,
            is_subscribed(),
        )
        .values(state="suppressed", paused_until=None, changed_at=now)
    )
    return done is not None


def suppress_after_soft_failures(connection: Connection, subscriber_id: int, now: datetime) -> bool:
    """Suppress who refused the last three issues, though none for good; whether that was so."""
    latest = connection.execute(
        select(deliveries.c.state, deliveries.c.bounce, subscribers.c.address)
        .join(subscribers)
        .where(
            deliveries.c.subscriber_id == subscriber_id,
            deliveries.c.state.in_([SENT, FAILED]),
            subscribers.c.address.is_not(None),
        )
        .order_by(deliveries.c.issue_date.desc(), deliveries.c.changed_at.desc())
        .limit(_SOFT_FAILURES_MAX)
    ).all()
    if len(latest) < _SOFT_FAILURES_MAX or any(r.state == SENT and not r.bounce for r in latest):
        return False
    return suppress_on(connection, parse_address(latest[0].address), "three issues refused", now)


def lift(mailing: Mailing, address: str, *, now: datetime) -> None:
    """Take a suppression back: who was subscribed then is active again, and nobody else.

    Raises AddressError, RefusedError.
    """
    parsed = parse_address(address)
    with mailing.write() as connection:
        gone = connection.execute(
            delete(suppressions).where(suppressions.c.address_hash == parsed.hash)
        )
        if not gone.rowcount:
            raise RefusedError(f"{parsed.text} is not suppressed.")
        connection.execute(
            update(subscribers)
            .where(subscribers.c.address_key == parsed.key, subscribers.c.state == "suppressed")
            .values(state="active", changed_at=now)
        )


def erase(mailing: Mailing, address: str, *, now: datetime) -> None:
    """Forget a person at their wish: a hash stays, and counts. Raises as `lift`."""
    parsed = parse_address(address)
    with mailing.write() as connection:
        person = _by(connection, subscribers.c.address_key == parsed.key)
        if person is None:
            raise RefusedError(f"{parsed.text} is not on the list.")
        suppress_on(connection, parsed, _ERASED, now)
        _set(
            connection,
            person.id,
            now,
            state="unsubscribed",
            address=None,
            address_key=None,
            **_choice(Rule()),
        )


def find(mailing: Mailing, address: str) -> Subscriber | None:
    """The subscriber with this address, in any spelling. Raises AddressError."""
    with mailing.read() as connection:
        return _by(connection, subscribers.c.address_key == parse_address(address).key)


def find_public(mailing: Mailing, public_id: str) -> Subscriber | None:
    """The subscriber whom a link names."""
    with mailing.read() as connection:
        return _by(connection, subscribers.c.public_id == public_id)


def everyone(mailing: Mailing) -> Iterator[Subscriber]:
    """All subscribers by id, a page at a time: a list of any size passes through."""
    last = 0
    while True:
        with mailing.read() as connection:
            page = connection.execute(
                select(subscribers)
                .where(subscribers.c.id > last)
                .order_by(subscribers.c.id)
                .limit(1000)
            ).all()
        if not page:
            return
        yield from map(_subscriber, page)
        last = page[-1].id


def why_suppressed(connection: Connection, hashes: Sequence[str]) -> dict[str, str]:
    """Why, for those of the addresses that are suppressed."""
    found = connection.execute(
        select(suppressions.c.address_hash, suppressions.c.reason).where(
            suppressions.c.address_hash.in_(hashes)
        )
    )
    return {row.address_hash: row.reason for row in found}


def _by_key(connection: Connection, key: str) -> Subscriber:
    row = connection.execute(select(subscribers).where(subscribers.c.address_key == key)).one()
    return _subscriber(row)


def _by(connection: Connection, condition: Any) -> Subscriber | None:  # noqa: ANN401
    row = connection.execute(select(subscribers).where(condition)).one_or_none()
    return None if row is None else _subscriber(row)


def _known(connection: Connection, public_id: str) -> Subscriber:
    person = _by(connection, subscribers.c.public_id == public_id)
    if person is None:
        raise RefusedError("Nobody on the list has this link.")
    return person


@lru_cache(maxsize=1024)
def _choice(rule: Rule) -> dict[str, str]:
    return {"editions": ",".join(rule.editions), "rule": rule.to_json(), "rule_key": rule.key}


def _set(connection: Connection, person_id: int, changed_at: datetime, **values: Any) -> Subscriber:  # noqa: ANN401
    row = connection.execute(
        update(subscribers)
        .where(subscribers.c.id == person_id)
        .values(changed_at=changed_at, **values)
        .returning(*subscribers.c)
    ).one()
    return _subscriber(row)


def _row(address: Address, state: str, rule: Rule, source: str, now: datetime) -> dict[str, Any]:
    return {
        "public_id": secrets.token_hex(10),
        "address": address.text,
        "address_key": address.key,
        "state": state,
        "source": source,
        "created_at": now,
        "changed_at": now,
        **_choice(rule),
    }

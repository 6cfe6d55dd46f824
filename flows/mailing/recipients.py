"""Who gets an edition today, as conditions on the subscribers; and what sending knows of one."""

from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, ColumnElement, Row, and_, or_

from flows.mailing.rules import Rule
from flows.mailing.tables import subscribers


class Reader(NamedTuple):
    """A claimed recipient: what sending needs to know."""

    id: int
    public_id: str
    address: str
    rule: Rule
    rule_key: str


# The states of who is on the list and has not left, be they paused or not.
SUBSCRIBED = ("active", "paused")
READER_COLUMNS = (
    subscribers.c.id,
    subscribers.c.public_id,
    subscribers.c.address,
    subscribers.c.rule,
    subscribers.c.rule_key,
)
_rule = lru_cache(maxsize=1024)(Rule.from_json)


def reader_of(row: Row[Any]) -> Reader:
    """The reader of a row that has at least READER_COLUMNS."""
    return Reader(row.id, row.public_id, row.address, _rule(row.rule), row.rule_key)


def is_subscribed() -> ColumnElement[bool]:
    """Whether somebody is on the list and has not left, be they paused or not."""
    return subscribers.c.state.in_(SUBSCRIBED)


def has_chosen(edition: str) -> ColumnElement[bool]:
    """Whether somebody is subscribed to this edition, be they paused or not."""
    return and_(is_subscribed(), subscribers.c.editions.contains(edition))


def is_paused_on(day: date) -> ColumnElement[bool]:
    """Whether a subscriber's pause still lasts on this day; it ends where its last date begins."""
    return and_(subscribers.c.state == "paused", subscribers.c.paused_until > day)


def may_be_mailed_on(day: date | BindParameter[date]) -> ColumnElement[bool]:
    """Whether somebody is subscribed and no pause of theirs lasts on this day."""
    return or_(
        subscribers.c.state == "active",
        and_(subscribers.c.state == "paused", subscribers.c.paused_until <= day),
    )

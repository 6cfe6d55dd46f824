"""Why one person did or did not get an issue, from the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, select

from flows.mailing.addresses import parse_address
from flows.mailing.database import Mailing
from flows.mailing.ledger_issues import CLAIMED, find_issue, is_of
from flows.mailing.recipients import SUBSCRIBED, is_paused_on
from flows.mailing.subscribers import Subscriber, why_suppressed
from flows.mailing.tables import deliveries, subscribers
from flows.mailing.transports import DEFERRED, SENT, UNKNOWN
from flows.wording import counted


@dataclass(frozen=True)
class Delivery:
    """What became of one issue for one person; `bounce` is what came back after it was sent."""

    edition: str
    issue_date: date
    state: str
    reason: str | None
    bounce: str | None
    changed_at: datetime


def deliveries_to(mailing: Mailing, person: Subscriber, since: date) -> Sequence[Delivery]:
    """What the ledger holds of this person from a date on."""
    columns = [deliveries.c[name] for name in Delivery.__dataclass_fields__]
    query = select(*columns).where(
        deliveries.c.subscriber_id == person.id, deliveries.c.issue_date >= since
    )
    with mailing.read() as connection:
        return [Delivery(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001


def explain(
    mailing: Mailing,
    edition: str,
    issue_date: date,
    address: str,
    *,
    today: date,
    why_no_issue: str = "",
) -> str:
    """Why this person did or did not get this issue, in one sentence, as of `today` (UTC).

    `why_no_issue` is told where there is none, and the caller knows.

    Raises:
        AddressError: this is no address.
    """
    parsed = parse_address(address)
    with mailing.read() as connection:
        person = connection.execute(
            select(subscribers, is_paused_on(today).label("is_paused")).where(
                subscribers.c.address_key == parsed.key
            )
        ).first()
        row = (
            person
            and connection.execute(
                select(deliveries).where(
                    is_of(deliveries, edition, issue_date), deliveries.c.subscriber_id == person.id
                )
            ).first()
        )
        why = why_suppressed(connection, [parsed.hash]).get(parsed.hash)
    if person is None:
        return "Not sent: this address is not on the list."
    if row is not None:
        return _explained(row)
    if person.is_paused:
        return f"Not sent: paused until {person.paused_until}."
    if person.state == "suppressed":
        return f"Not sent: suppressed since {person.changed_at:%Y-%m-%d}, {why}."
    if person.state not in SUBSCRIBED:
        return f"Not sent: {person.state} since {person.changed_at:%Y-%m-%d}."
    if edition not in person.editions.split(","):
        return f"Not sent: chose {person.editions.replace(',', ' and ')}, not {edition}."
    issue = find_issue(mailing, edition, issue_date)
    if issue is None:
        why = f": {why_no_issue}" if why_no_issue else ""
        return f"Not sent: there is no {edition} issue of {issue_date}{why}."
    return f"Not sent yet: {issue.name} is {issue.state}. {issue.sentence}"


def _explained(row: Row[Any]) -> str:
    at = f"{row.changed_at:%Y-%m-%d %H:%M} UTC"
    if row.state == SENT:
        return f"Sent at {at}" + (f"; it came back: {row.bounce}." if row.bounce else ".")
    if row.state == DEFERRED:
        return (
            f"Not sent yet: {row.reason}; tried {counted(row.attempts_count, 'time')}, "
            f"again from {row.next_attempt_at:%Y-%m-%d %H:%M} UTC."
        )
    if row.state == UNKNOWN:
        return f"Perhaps sent at {at}: {row.reason}. It is sent again only if you say so."
    if row.state == CLAIMED:
        return f"Being sent since {at}."
    return f"Not sent: {row.reason}."

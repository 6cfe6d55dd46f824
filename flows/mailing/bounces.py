"""What comes back: status notifications (RFC 3464), abuse reports (RFC 5965), wishes to leave.

Anybody can write to this mailbox. So a wish to leave counts only with the signed token that
List-Unsubscribe puts in its subject, and a report only with one of our Message-IDs in it, which
nobody but the recipient has seen, or, where the other side sent no headers back at all, with the
address of somebody on the list; a report about another's message is not ours.
"""

import mailbox
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from email import message_from_bytes, policy
from email.message import Message
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select, update

from flows.mailing.addresses import AddressError, parse_address
from flows.mailing.database import Mailing
from flows.mailing.ledger import suppress_after_soft_failures
from flows.mailing.letters import UNSUBSCRIBE_WORD
from flows.mailing.refusals import is_returned_for_good
from flows.mailing.subscribers import RefusedError, suppress_on, unsubscribe
from flows.mailing.tables import deliveries, subscribers
from flows.mailing.tokens import Purpose, TokenError, Tokens
from flows.mailing.transports import one_line
from flows.wording import counted

_WISH = re.compile(rf"\s*{UNSUBSCRIBE_WORD}\s+(\S+)\s*", re.IGNORECASE)
_OUR_ID = re.compile(r"<?([a-z]+)\.(\d{4}-\d\d-\d\d)\.([0-9a-f]{20})@")


class MailboxError(ValueError):
    """The mailbox cannot be read; the message says why."""


@dataclass
class BounceReport:
    """What a mailbox held, message by message."""

    read_count: int = 0
    hard_count: int = 0  # the address is no good: suppressed
    soft_count: int = 0  # full, too large, refused by policy: suppressed after three issues
    complaint_count: int = 0  # suppressed
    left_count: int = 0  # by the mailto link of List-Unsubscribe: unsubscribed
    known_count: int = 0  # counted by an earlier reading
    foreign_count: int = 0  # no report, or not about a message or reader of ours

    @property
    def sentence(self) -> str:
        """The counts in words."""
        return (
            f"{counted(self.read_count, 'message')} read: {self.hard_count} bad addresses, "
            f"{self.soft_count} soft bounces, {self.complaint_count} complaints, "
            f"{self.left_count} who left, {self.known_count} known already, "
            f"{self.foreign_count} not ours."
        )


class _Return(NamedTuple):
    """One recipient in a report. `kind`: hard, soft, complaint."""

    kind: str
    reason: str
    message_id: str | None
    address: str


def read_bounces(mailing: Mailing, tokens: Tokens, path: Path, *, now: datetime) -> BounceReport:
    """Read a maildir (a folder) or an mbox (a file) and act on what came back.

    The mailbox stays as it is; reading it again changes nothing. Raises MailboxError.
    """
    report = BounceReport()
    for raw in _messages(path):
        report.read_count += 1
        returns = _returns(raw)
        if not returns:
            is_wish = _leave(mailing, tokens, raw, now)
            report.left_count += is_wish
            report.foreign_count += not is_wish
        for returned in returns:
            with mailing.write() as connection:
                result = _act(connection, returned, now)
            setattr(report, f"{result}_count", getattr(report, f"{result}_count") + 1)
    return report


def _messages(path: Path) -> Iterator[bytes]:
    if not path.exists():
        raise MailboxError(f"There is no mailbox at {path}.")
    if path.is_dir() and not ((path / "cur").is_dir() and (path / "new").is_dir()):
        raise MailboxError(f"{path} is a folder but no maildir: it lacks “cur” and “new”.")
    try:
        if path.is_file() and not _begins_as_mbox(path):
            raise MailboxError(f"{path} is no mbox: its first line does not begin with “From ”.")
        opened = (
            mailbox.Maildir(path, create=False)
            if path.is_dir()
            else mailbox.mbox(path, create=False)
        )
        with closing(opened):
            for key in opened.iterkeys():
                yield opened.get_bytes(key)
    except OSError as error:
        raise MailboxError(f"{path} cannot be read: {error.strerror}.") from error


def _begins_as_mbox(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(5) in {b"", b"From "}


def _leave(mailing: Mailing, tokens: Tokens, raw: bytes, now: datetime) -> bool:
    """Whether a reader asks to leave by this mail; then they have."""
    subject = str(message_from_bytes(raw, policy=policy.compat32)["Subject"] or "")
    if not (wish := _WISH.fullmatch(subject)):
        return False
    try:
        unsubscribe(mailing, tokens.read(Purpose.UNSUBSCRIBE, wish[1]), now=now)
    except (TokenError, RefusedError):
        return False
    return True


def _returns(raw: bytes) -> list[_Return]:
    """The recipients a report is about; none if it is no report, or too broken to be one."""
    try:
        mail = message_from_bytes(raw, policy=policy.compat32)
        kind = str(mail.get_param("report-type", "")).lower()
        parts: dict[str, Message] = {}
        for part in mail.walk():
            parts.setdefault(part.get_content_type(), part)
        message_id = _message_id(parts)
        if kind == "delivery-status" and "message/delivery-status" in parts:
            blocks = _blocks(parts["message/delivery-status"])
            return [_bounce(block, message_id) for block in blocks if _is_failure(block)]
        if kind == "feedback-report" and "message/feedback-report" in parts:
            blocks = _blocks(parts["message/feedback-report"])
            return [_complaint(block, message_id) for block in blocks if _is_abuse(block)]
    except (LookupError, ValueError, TypeError, AttributeError):
        return []  # a stranger's mail may be broken in any way
    return []


def _blocks(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [b for b in payload if isinstance(b, Message)] if isinstance(payload, list) else []


def _message_id(parts: Mapping[str, Message]) -> str | None:
    """The Message-ID of what was sent, from the headers that came back with the report."""
    if whole := parts.get("message/rfc822"):
        (sent,) = _blocks(whole)
    elif headers := parts.get("text/rfc822-headers"):
        payload = headers.get_payload(decode=True)
        sent = message_from_bytes(payload if isinstance(payload, bytes) else b"")
    else:
        return None
    return None if sent["Message-ID"] is None else str(sent["Message-ID"])


def _is_failure(block: Message) -> bool:
    return str(block.get("Action", "")).strip().lower() == "failed"


def _is_abuse(block: Message) -> bool:
    return str(block.get("Feedback-Type", "")).strip().lower() == "abuse"


def _bounce(block: Message, message_id: str | None) -> _Return:
    status = str(block.get("Status", "")).strip()
    diagnostic = str(block.get("Diagnostic-Code", ""))
    reason = one_line(f"{diagnostic} {status}")
    is_hard = is_returned_for_good(status, diagnostic)
    recipient = str(block.get("Original-Recipient") or block.get("Final-Recipient") or "")
    return _Return(
        "hard" if is_hard else "soft", reason, message_id, recipient.partition(";")[2].strip()
    )


def _complaint(block: Message, message_id: str | None) -> _Return:
    recipient = str(block.get("Original-Rcpt-To") or "").strip(" <>")
    return _Return("complaint", "marked as spam", message_id, recipient)


def _act(connection: Connection, returned: _Return, now: datetime) -> str:
    """Do what a return asks for; under which count it goes."""
    bounce = f"{returned.kind}: {returned.reason}"
    if returned.message_id is None:
        return _act_by_address(connection, returned, bounce, now)
    delivery = _delivery(connection, returned.message_id)
    if delivery is None or delivery.address is None:
        return "foreign"
    if delivery.bounce and (
        returned.kind != "complaint" or delivery.bounce.startswith("complaint")
    ):
        return "known"
    connection.execute(
        update(deliveries)
        .where(
            deliveries.c.edition == delivery.edition,
            deliveries.c.issue_date == delivery.issue_date,
            deliveries.c.subscriber_id == delivery.subscriber_id,
        )
        .values(bounce=bounce)
    )
    if returned.kind == "soft":
        suppress_after_soft_failures(connection, delivery.subscriber_id, now)
    else:
        suppress_on(connection, parse_address(delivery.address), bounce, now)
    return returned.kind


def _delivery(connection: Connection, message_id: str) -> Row[Any] | None:
    found = _OUR_ID.match(message_id.strip())
    if found is None:
        return None
    edition, day, public_id = found.groups()
    try:
        issue_date = date.fromisoformat(day)
    except ValueError:
        return None
    return connection.execute(
        select(deliveries, subscribers.c.address)
        .join(subscribers)
        .where(
            deliveries.c.edition == edition,
            deliveries.c.issue_date == issue_date,
            subscribers.c.public_id == public_id,
        )
    ).first()


def _act_by_address(connection: Connection, returned: _Return, bounce: str, now: datetime) -> str:
    try:
        address = parse_address(returned.address)
    except AddressError:
        return "foreign"
    is_listed = select(subscribers.c.id).where(subscribers.c.address_key == address.key)
    if connection.execute(is_listed).first() is None:
        return "foreign"
    if returned.kind == "soft":
        return "soft"  # of which issue, nobody can tell
    return returned.kind if suppress_on(connection, address, bounce, now) else "known"

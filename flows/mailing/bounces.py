"""What comes back: status notifications (RFC 3464), abuse reports (RFC 5965), wishes to leave.

Anybody can write to this mailbox. So a wish to leave counts only with the signed token that
List-Unsubscribe puts in its subject, and a report only with a signed token or one of our
Message-IDs in what came back, which nobody but the recipient has seen, or, where the other side
sent no headers back at all, with the address of somebody on the list; a report about another's
message is not ours. Relays give messages new ids and gateways write subjects anew, so a token is
looked for wherever it may stand.
"""

import mailbox
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from email import message_from_bytes, message_from_string, policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select, update

from flows.errors import UsageError
from flows.mailing.addresses import AddressError, parse_address
from flows.mailing.database import Mailing
from flows.mailing.letters import UNSUBSCRIBE_WORD
from flows.mailing.refusals import is_returned_for_good
from flows.mailing.subscribers import (
    RefusedError,
    suppress_after_soft_failures,
    suppress_on,
    unsubscribe,
)
from flows.mailing.tables import deliveries, subscribers
from flows.mailing.tokens import Purpose, TokenError, Tokens
from flows.mailing.transports import one_line
from flows.wording import counted

_TOKEN = re.compile(r"(?<![\w-])[0-9a-f]{20}\.[\w-]{43}(?![\w-])")
# Not inside a link: a reader who answers an issue quotes its links and does not ask to leave.
_WISH = re.compile(rf"(?:^|\s){UNSUBSCRIBE_WORD}\s+({_TOKEN.pattern})\s*$", re.IGNORECASE)
_ISSUE = re.compile(r"/issues/(\d{4}-\d\d-\d\d)-([a-z]+)/")
_OUR_ID = re.compile(r"<?([a-z]+)\.(\d{4}-\d\d-\d\d)\.([0-9a-f]{20})@")


_ENCODED = {"base64", "quoted-printable"}


class MailboxError(UsageError):
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
            f"{counted(self.read_count, 'message')} read: "
            f"{self.hard_count} bad address{'' if self.hard_count == 1 else 'es'}, "
            f"{counted(self.soft_count, 'soft bounce')}, "
            f"{counted(self.complaint_count, 'complaint')}, "
            f"{self.left_count} who left, {self.known_count} known already, "
            f"{self.foreign_count} not ours."
        )


class _Return(NamedTuple):
    """One recipient in a report. `kind`: hard, soft, complaint."""

    kind: str
    reason: str
    sent: "_Sent | None"
    address: str


class _Sent(NamedTuple):
    """The message that came back, as far as it did: its id, and all its words, decoded."""

    message_id: str
    text: str


def read_bounces(mailing: Mailing, tokens: Tokens, path: Path, *, now: datetime) -> BounceReport:
    """Read a maildir (a folder) or an mbox (a file) and act on what came back.

    The mailbox stays as it is; reading it again changes nothing. Raises MailboxError.
    """
    report = BounceReport()
    for raw in _messages(path):
        report.read_count += 1
        for result in _results(mailing, tokens, raw, now):
            setattr(report, f"{result}_count", getattr(report, f"{result}_count") + 1)
    return report


def _results(mailing: Mailing, tokens: Tokens, raw: bytes, now: datetime) -> Iterator[str]:
    """Act on one message; what it came to, for each recipient where it is a report."""
    returns = _returns(raw)
    if not returns:
        yield _leave(mailing, tokens, raw, now)
    for returned in returns:
        with mailing.write() as connection:
            result = _act(connection, tokens, returned, now)
        yield result


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


def _leave(mailing: Mailing, tokens: Tokens, raw: bytes, now: datetime) -> str:
    """`left` where a reader asks by this mail to leave, `known` who had, otherwise `foreign`."""
    for line in _lines(raw):
        if not (wish := _WISH.search(line)):
            continue
        try:
            person = unsubscribe(mailing, tokens.read(Purpose.UNSUBSCRIBE, wish[1]), now=now)
        except (TokenError, RefusedError):
            continue
        return "left" if person.changed_at == now else "known"
    return "foreign"


def _lines(raw: bytes) -> list[str]:
    """The subject, and each line of the mail that its sender wrote; no line that is quoted."""
    try:
        mail = message_from_bytes(raw, policy=policy.compat32)
        subject = " ".join(_decoded(str(mail["Subject"] or "")).split())
        texts = [part for part in mail.walk() if part.get_content_type() == "text/plain"]
        written = "\n".join(_words(part) for part in texts)
    except (LookupError, ValueError, TypeError, AttributeError):
        return []  # a stranger's mail may be broken in any way
    return [subject, *(line for line in written.splitlines() if not line.startswith(">"))]


def _returns(raw: bytes) -> list[_Return]:
    """The recipients a report is about; none if it is no report, or too broken to be one."""
    try:
        mail = message_from_bytes(raw, policy=policy.compat32)
        parts: dict[str, Message] = {}
        for part in mail.walk():
            # RFC 6533: the same parts, for addresses and headers beyond ASCII
            parts.setdefault(part.get_content_type().replace("/global", "/rfc822", 1), part)
        sent = _sent(parts)
        report = parts.get("message/delivery-status") or parts.get("message/rfc822-delivery-status")
        if report:
            return [_bounce(block, sent) for block in _blocks(report) if _is_failure(block)]
        if abuse := parts.get("message/feedback-report"):
            return [_complaint(block, sent) for block in _blocks(abuse) if _is_abuse(block)]
    except (LookupError, ValueError, TypeError, AttributeError):
        return []  # a stranger's mail may be broken in any way
    return []


def _blocks(part: Message) -> list[Message]:
    """The groups of fields in a report, however its part is encoded."""
    payload = part.get_payload()
    if not isinstance(payload, list):
        return []
    if part.get_content_type() == "message/delivery-status":
        return [block for block in payload if isinstance(block, Message)]
    groups = re.split(r"\r?\n\r?\n", _inner(part))
    return [message_from_string(group.strip(), policy=policy.compat32) for group in groups]


def _inner(part: Message) -> str:
    """The text inside a message part that no parser knows; some are sent as base64."""
    payload = part.get_payload()
    inner = payload[0] if isinstance(payload, list) else part
    text = inner.as_string() if isinstance(inner, Message) else str(inner)
    if str(part.get("Content-Transfer-Encoding", "")).strip().lower() in _ENCODED:
        wrapped = Message()
        wrapped["Content-Transfer-Encoding"] = part["Content-Transfer-Encoding"]
        wrapped.set_payload(text.lstrip("\n"))
        return _words(wrapped)
    return text


def _sent(parts: Mapping[str, Message]) -> _Sent | None:
    """What was sent, from the message or the headers that came back with the report."""
    if whole := parts.get("message/rfc822"):
        sent = message_from_string(_inner(whole))
    elif headers := parts.get("text/rfc822-headers") or parts.get("message/rfc822-headers"):
        is_text = headers.get_content_maintype() == "text"
        sent = message_from_string(_words(headers) if is_text else _inner(headers))
    else:
        return None
    fields = [_decoded(str(value)) for value in sent.values()]
    bodies = [_words(part) for part in sent.walk() if not part.is_multipart()]
    # folding may stand anywhere in a long header
    folded = ["".join(field.split()) for field in fields]
    return _Sent(str(sent["Message-ID"] or ""), "\n".join([*fields, *folded, *bodies]))


def _words(part: Message) -> str:
    payload = part.get_payload(decode=True)
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _decoded(value: str) -> str:
    """A header's words without the encoding of RFC 2047."""
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, ValueError, HeaderParseError):
        return value


def _is_failure(block: Message) -> bool:
    return str(block.get("Action", "")).strip().lower() == "failed"


def _is_abuse(block: Message) -> bool:
    return str(block.get("Feedback-Type", "")).strip().lower() == "abuse"


def _bounce(block: Message, sent: _Sent | None) -> _Return:
    status = str(block.get("Status", "")).strip()
    diagnostic = str(block.get("Diagnostic-Code", ""))
    reason = one_line(f"{diagnostic} {status}")
    field = str(block.get("Original-Recipient") or block.get("Final-Recipient") or "")
    recipient = field.partition(";")[2].strip(" <>")
    is_hard = is_returned_for_good(status, diagnostic, recipient)
    return _Return("hard" if is_hard else "soft", reason, sent, recipient)


def _complaint(block: Message, sent: _Sent | None) -> _Return:
    recipient = str(block.get("Original-Rcpt-To") or "").strip(" <>")
    return _Return("complaint", "marked as spam", sent, recipient)


def _act(connection: Connection, tokens: Tokens, returned: _Return, now: datetime) -> str:
    """Act on a return; gives the count it belongs to."""
    bounce = f"{returned.kind}: {returned.reason}"
    if returned.sent is None:
        return _act_by_address(connection, returned, bounce, now)
    delivery = _delivery(connection, tokens, returned.sent)
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


def _delivery(connection: Connection, tokens: Tokens, sent: _Sent) -> Row[Any] | None:
    """The delivery that came back: by our Message-ID, else by a token and the issue it links to."""
    if (found := _OUR_ID.match(sent.message_id.strip())) is not None:
        edition, day, public_id = found.groups()
        return _newest_delivery(connection, public_id, edition, day)
    for token in _TOKEN.findall(sent.text):
        for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES):
            try:
                public_id = tokens.read(purpose, token)
            except TokenError:
                continue
            issue = _ISSUE.search(sent.text)
            day, edition = issue.groups() if issue else (None, None)
            return _newest_delivery(connection, public_id, edition, day)
    return None


def _newest_delivery(
    connection: Connection, public_id: str, edition: str | None, day: str | None
) -> Row[Any] | None:
    """The newest message that this reader was sent, of this issue where it is known."""
    query = select(deliveries, subscribers.c.address).join(subscribers)
    query = query.where(subscribers.c.public_id == public_id)
    if edition and day:
        try:
            issue_date = date.fromisoformat(day)
        except ValueError:
            return None
        query = query.where(deliveries.c.edition == edition, deliveries.c.issue_date == issue_date)
    return connection.execute(query.order_by(deliveries.c.issue_date.desc()).limit(1)).first()


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

"""How a message leaves: as a file, or over SMTP; and what each answer of the other side means."""

import re
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit
from weakref import WeakSet

from pydantic import SecretStr

from flows.errors import OperationError
from flows.mailing.addresses import AddressError, parse_address
from flows.mailing.bounded_smtp import BoundedSmtp, BoundedSmtpOverTls
from flows.mailing.refusals import is_address_bad

# Neither a password nor a certificate gets better by asking again.
_LASTING = (
    smtplib.SMTPAuthenticationError,
    smtplib.SMTPNotSupportedError,
    ssl.SSLCertVerificationError,
)
SENT, DEFERRED, FAILED, UNKNOWN, WITHHELD = "sent", "deferred", "failed", "unknown", "withheld"


class TransportError(OperationError):
    """No message can leave this way; the message says why, without the password.

    `is_lasting`: trying again does not help, somebody has to change something.
    """

    def __init__(self, sentence: str, *, is_lasting: bool = True) -> None:
        super().__init__(sentence)
        self.is_lasting = is_lasting


class StaleConnectionError(RuntimeError):
    """The other side hung up between two messages; nothing was begun, open anew."""


@dataclass(frozen=True)
class Parcel:
    """One message for one recipient. `content` has CRLF line ends."""

    public_id: str
    to: str
    content: bytes


@dataclass(frozen=True)
class SendResult:
    """What became of a parcel: `withheld` if it was not to go after all, else a ledger state."""

    state: str
    reason: str = ""
    is_address_bad: bool = False  # refused for good, and because of the recipient's address
    is_cut: bool = False  # the connection is of no more use

    @property
    def is_refusal(self) -> bool:
        """Whether the other side said no for good, be it to the recipient or to us."""
        return self.state in {FAILED, DEFERRED} and self.reason.startswith("5")


class Connection(Protocol):
    """A way out that is kept open over many parcels."""

    def send(self, parcel: Parcel, may_send: Callable[[], bool]) -> SendResult:
        """Hand a parcel over. `may_send` is asked at the last moment before its content leaves."""

    def close(self) -> None:
        """Leave politely."""


class Transport(Protocol):
    """Opens connections. Raises TransportError when none can be had."""

    def open(self) -> Connection:
        """Give a new connection."""

    def cut(self) -> None:
        """End at once what threads wait for on any of its connections."""


@dataclass(frozen=True)
class FileTransport:
    """One `.eml` a recipient in a folder, named by public id: no address is in a file name."""

    folder: Path

    def open(self) -> Connection:
        """Give the folder, made if need be."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TransportError(f"Mail cannot be written to {self.folder}: {error}.") from error
        return self

    def send(self, parcel: Parcel, may_send: Callable[[], bool]) -> SendResult:
        """Write the file, whole or not at all."""
        if not may_send():
            return SendResult(WITHHELD)
        path = self.folder / f"{parcel.public_id}.eml"
        draft = path.with_suffix(".part")
        try:
            draft.write_bytes(parcel.content)
            draft.replace(path)
        except OSError as error:
            return SendResult(DEFERRED, f"the file cannot be written: {error.strerror}")
        return SendResult(SENT)

    def close(self) -> None:
        """Nothing is open."""

    def cut(self) -> None:
        """Nobody waits for a file."""


@dataclass(frozen=True)
class SmtpTransport:
    """An SMTP relay. Encrypted, unless `tls` is "none"; a password never travels in clear."""

    host: str
    port: int
    sender: str
    tls: str = "starttls"  # or "implicit", "none"
    user: str | None = None
    password: SecretStr | None = None
    timeout: float = 60
    # RFC 5321 gives the other side ten minutes to answer the end of the data, and who hangs up
    # sooner cannot know whether the message was taken.
    final_timeout: float = 600
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)
    _opened: WeakSet[BoundedSmtp] = field(default_factory=WeakSet, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.password and self.tls == "none":
            raise TransportError(
                "PAPERS_MAIL_URL has a password and tls=none: a password is not sent in clear. "
                "Drop one of the two."
            )

    def open(self) -> Connection:
        """Give a connection, encrypted and logged in as the settings ask."""
        domain = self.sender.rpartition("@")[2]
        smtp: BoundedSmtp | None = None
        try:
            if self.tls == "implicit":
                smtp = BoundedSmtpOverTls(
                    self.host,
                    self.port,
                    domain,
                    timeout=self.timeout,
                    context=self.context,
                    known_to=self._opened,
                )
            else:
                smtp = BoundedSmtp(
                    self.host, self.port, domain, timeout=self.timeout, known_to=self._opened
                )
            smtp.ehlo_or_helo_if_needed()
            if self.tls == "starttls":
                self._encrypt(smtp)
                smtp.ehlo_or_helo_if_needed()
            if self.user and self.password:
                smtp.login(self.user, self.password.get_secret_value())
        except TransportError:
            _hang_up(smtp)
            raise
        except (smtplib.SMTPException, OSError) as error:
            _hang_up(smtp)
            raise TransportError(
                f"{self.host}:{self.port} cannot be used: {_said(error)}.",
                is_lasting=isinstance(error, _LASTING),
            ) from error
        return _SmtpConnection(smtp, self)

    def cut(self) -> None:
        """End at once what threads wait for on any of its connections."""
        for smtp in list(self._opened):
            smtp.cut()

    def _encrypt(self, smtp: smtplib.SMTP) -> None:
        if not smtp.has_extn("starttls"):
            raise TransportError(
                f"{self.host}:{self.port} offers no encryption (STARTTLS), so no mail goes there; "
                "if that is right for your network, add ?tls=none to PAPERS_MAIL_URL."
            )
        smtp.starttls(context=self.context)


@dataclass(frozen=True)
class _SmtpConnection:
    smtp: BoundedSmtp
    transport: SmtpTransport

    def send(self, parcel: Parcel, may_send: Callable[[], bool]) -> SendResult:
        """One transaction, step by step: smtplib's `sendmail` hides at which step it ended."""
        is_in_doubt = False
        try:
            if refusal := self._address(parcel.to):
                return refusal
            if not may_send():
                self.smtp.rset()
                return SendResult(WITHHELD)
            code, answer = self.smtp.docmd("DATA")
            if code != 354:
                return self._refused(code, answer, parcel.to)
            is_in_doubt = True
            self.smtp.send(parcel.content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
            self.smtp.answer_seconds = self.transport.final_timeout
            code, answer = self.smtp.getreply()
            is_in_doubt = not 200 <= code < 600
            self.smtp.answer_seconds = None
            if 200 <= code < 300:
                return SendResult(SENT)
            if is_in_doubt:
                return SendResult(UNKNOWN, f"no SMTP answer after DATA: {code}", is_cut=True)
            return self._refused(code, answer, parcel.to, after_data=True)
        except (smtplib.SMTPException, OSError) as error:
            if is_in_doubt:
                return SendResult(UNKNOWN, f"cut off after DATA: {_said(error)}", is_cut=True)
            return SendResult(DEFERRED, f"cut off before DATA: {_said(error)}", is_cut=True)

    def _address(self, to: str) -> SendResult | None:
        """Name sender and recipient; the refusal, if one is refused.

        Where the other side allows it (RFC 2920) both go in one packet. Both are validated
        addresses, so no line can end inside one.
        """
        mail, rcpt = f"MAIL FROM:<{self.transport.sender}>\r\n", f"RCPT TO:<{to}>\r\n"
        is_pipelined = self.smtp.has_extn("pipelining")
        try:
            self.smtp.send(mail + rcpt if is_pipelined else mail)
            code, answer = self.smtp.getreply()
        except (smtplib.SMTPException, OSError) as error:
            raise StaleConnectionError(_said(error)) from error
        if code != 250:
            if is_pipelined and code != 421:
                self.smtp.getreply()
            # our sender is refused, not the recipient: it is no fault of theirs
            return self._refused(code, answer, to, DEFERRED)
        if not is_pipelined:
            self.smtp.send(rcpt)
        code, answer = self.smtp.getreply()
        return None if code in {250, 251} else self._refused(code, answer, to)

    def close(self) -> None:
        """Say QUIT if anybody listens."""
        _hang_up(self.smtp)

    def _refused(
        self,
        code: int,
        answer: bytes,
        to: str,
        state: str | None = None,
        *,
        after_data: bool = False,
    ) -> SendResult:
        """The outcome of an answer that is no yes; the connection is made ready for the next."""
        text = answer.decode("utf-8", "replace")
        reason = one_line(f"{code} {text}")
        is_cut = code in {421, -1}
        if not is_cut and not after_data:
            try:
                self.smtp.rset()
            except (smtplib.SMTPException, OSError):
                is_cut = True
        if state is None:
            state = FAILED if 500 <= code < 600 else DEFERRED
        is_bad = state == FAILED and is_address_bad(code, text, to, after_data=after_data)
        return SendResult(state, reason, is_bad, is_cut)


def _hang_up(smtp: smtplib.SMTP | None) -> None:
    if smtp is None:
        return
    try:
        smtp.quit()
    except (smtplib.SMTPException, OSError):
        smtp.close()


def _said(error: Exception) -> str:
    """The cause in one line; smtplib's replies are bytes inside a tuple."""
    if isinstance(error, smtplib.SMTPResponseException):
        answer = error.smtp_error
        text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
        return one_line(f"{error.smtp_code} {text}")
    return one_line(str(error)) or type(error).__name__


def one_line(text: str) -> str:
    """A server's words as the ledger and the log may hold them: short, and with no address."""
    return re.sub(r"[^\s<>]+@[^\s<>]+", "…", " ".join(text.split()))[:300]


def parse_mail_url(url: str, *, sender: str) -> SmtpTransport:
    """The relay that PAPERS_MAIL_URL names; `sender` may have a name before its address.

    Raises TransportError, never repeating the URL.
    """
    try:
        envelope_from = parse_address(parseaddr(sender)[1]).text
    except AddressError as error:
        raise TransportError(f"PAPERS_MAIL_FROM is no address to send from: {error}") from error
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise TransportError("PAPERS_MAIL_URL is not a URL like smtp://host:587.") from error
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path not in {"", "/"}:
        raise TransportError("PAPERS_MAIL_URL is not a URL like smtp://user:password@host:587.")
    options = parse_qs(parts.query, keep_blank_values=True)
    if set(options) - {"tls"} or options.get("tls", ["none"]) != ["none"]:
        raise TransportError("PAPERS_MAIL_URL knows one option, ?tls=none.")
    if options and parts.scheme == "smtps":
        raise TransportError("PAPERS_MAIL_URL says both smtps:// and tls=none.")
    encrypted = "implicit" if parts.scheme == "smtps" else "starttls"
    return SmtpTransport(
        host=parts.hostname,
        port=port or (465 if parts.scheme == "smtps" else 587),
        sender=envelope_from,
        tls="none" if options else encrypted,
        user=unquote(parts.username) if parts.username else None,
        password=SecretStr(unquote(parts.password)) if parts.password else None,
    )

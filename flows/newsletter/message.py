"""A rendering as a mail: two parts, one reader, and the headers that lists owe their readers."""

from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from hashlib import sha256

from flows.newsletter.render import Rendering
from flows.newsletter.site import Site

_UNFOLDED = {"List-Archive", "List-Help", "List-Unsubscribe", "Message-ID"}


class _MailPolicy(EmailPolicy):
    """SMTP's policy, without what Python's folding breaks on the way.

    A link longer than a line is encoded as if it were a foreign word, so no client would find the
    way out in it; RFC 5322 allows lines of 998. Foreign words in a subject or a name lose blanks,
    or gain some, and of a long subject the first line may stay empty.
    """

    def fold(self, name: str, value: str) -> str:
        """The header as it stands in the mail, with its end of line."""
        if name in _UNFOLDED and value.isascii():
            return f"{name}: {value}{self.linesep}"
        if name == "Subject":
            return f"{name}: {self._encoded(str(value), name)}{self.linesep}"
        if (
            name == "From"
            and not value.isascii()
            and isinstance(value, AddressHeader)
            and value.addresses
        ):
            sender = value.addresses[0]
            words = self._encoded(sender.display_name, name)
            return f"{name}: {words} <{sender.addr_spec}>{self.linesep}"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: str) -> bytes:
        """The same, as it goes over the wire."""
        return self.fold(name, value).encode("utf-8" if self.utf8 else "ascii", "surrogateescape")

    def _encoded(self, words: str, name: str) -> str:
        charset = "us-ascii" if words.isascii() else "utf-8"
        return Header(words, charset, header_name=name).encode(linesep=self.linesep)


# 76: Python takes it for quoted-printable as well, and RFC 2045 allows that no more.
_POLICY = _MailPolicy(linesep="\r\n", max_line_length=76)


@dataclass(frozen=True)
class Unsubscribe:
    """One reader's ways out: the address that a single POST unsubscribes, and a mail that does.

    Where nobody answers, there is the mail alone.
    """

    url: str | None
    mailto: str

    @property
    def link(self) -> str:
        """What the mail's own words lead to."""
        return self.url or self.mailto

    @property
    def header(self) -> str:
        """The value of List-Unsubscribe (RFC 2369), the https link first."""
        return f"<{self.url}>, <{self.mailto}>" if self.url else f"<{self.mailto}>"


def message(
    rendering: Rendering,
    *,
    sender: str,
    to: str | None,
    message_id: str,
    date: datetime,
    list_id: str,
    unsubscribe: Unsubscribe | None,
    site: Site | None = None,
) -> EmailMessage:
    """The rendering as a mail to one reader, or to nobody yet; same arguments, same bytes.

    `message_id` and `list_id` come with their angle brackets; `date` knows its zone. `site` is
    where the list's page and its archive are.

    Raises ValueError where a header would hold a newline.
    """
    mail = EmailMessage(policy=_POLICY)
    mail["Date"] = format_datetime(date)
    mail["Message-ID"] = message_id
    if to is not None:
        mail["To"] = to
    if unsubscribe is not None:
        mail["List-Unsubscribe"] = unsubscribe.header
        if unsubscribe.url is not None:
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["From"] = sender
    mail["Subject"] = rendering.subject
    mail["List-Id"] = list_id
    if site is not None:  # RFC 2369
        mail["List-Help"] = f"<{site.home_url}>"
        mail["List-Archive"] = f"<{site.archive_url}>"
    # RFC 3834: nobody wrote this by hand, so no out-of-office reply should come back to us.
    mail["Auto-Submitted"] = "auto-generated"
    # 8bit would need a relay that says it can (8BITMIME); quoted-printable passes everywhere.
    mail.set_content(rendering.text, cte="quoted-printable")
    mail.add_alternative(rendering.html, subtype="html", cte="quoted-printable")
    # Python's own boundary is random, and an issue sent again must be the same bytes.
    mail.set_boundary(f"=_{_fingerprint(rendering)}")
    return mail


def _fingerprint(rendering: Rendering) -> str:
    """What tells a rendering from others, the same for all its readers."""
    return sha256(f"{rendering.subject}\n{rendering.preheader}".encode()).hexdigest()[:32]

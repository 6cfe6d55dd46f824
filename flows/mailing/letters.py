"""From a digest to each reader's mail: one rendering a rule, and links that are the reader's own.

digest ──choose(rule)──▶ render ──▶ message ──cut where readers differ──▶ bytes, a join each
"""

import re
import secrets
from dataclasses import dataclass, replace
from datetime import date, datetime
from email.message import EmailMessage
from email.utils import parseaddr
from functools import cache, cached_property
from threading import Lock
from typing import NamedTuple
from urllib.parse import quote

from flows.mailing.mailed_before import HasHad, nothing
from flows.mailing.recipients import Reader
from flows.mailing.rules import Rule, choose
from flows.mailing.sender import Compose, Letter
from flows.mailing.tokens import Purpose, Tokens
from flows.newsletter.digest import Digest
from flows.newsletter.likeness import Likeness
from flows.newsletter.message import Unsubscribe, message
from flows.newsletter.render import ReaderLinks, Rendering, personal, render
from flows.newsletter.site import Site

UNSUBSCRIBE_WORD = "unsubscribe"  # the subject of a mail that leaves, before the reader's token


@dataclass(frozen=True)
class Post:
    """What all letters share. `sender` may have a name: “Daily Papers <papers@example.org>”."""

    site: Site
    tokens: Tokens
    sender: str

    @cached_property
    def mailbox(self) -> str:
        """The address that our mail comes from; what comes back, comes back there."""
        return parseaddr(self.sender)[1]

    @cached_property
    def domain(self) -> str:
        """The domain that our mail, and so every Message-ID, comes from."""
        return self.mailbox.rpartition("@")[2]

    @property
    def list_id(self) -> str:
        """The List-Id (RFC 2919), the same for all issues."""
        return f"<papers.{self.domain}>"

    def url(self, purpose: Purpose, public_id: str) -> str:
        """The reader's page for a purpose: `/unsubscribe/…`, `/preferences/…`, `/confirm/…`."""
        return self._page(purpose, self.tokens.sign(purpose, public_id))

    def way_out(self, public_id: str) -> Unsubscribe:
        """How the reader leaves without opening a page; `mailbox` must be read for the mailto."""
        return self._way_out(self.tokens.sign(Purpose.UNSUBSCRIBE, public_id))

    def mail(self, digest: Digest, reader: Reader, *, sent_at: datetime) -> EmailMessage:
        """One reader's mail of a digest that their rule chose from."""
        return self._mail(digest, render(digest, self.site), self._own(reader), sent_at)

    def letter(self, digest: Digest, *, sent_at: datetime) -> Letter:
        """The same mail for any reader, rendered and encoded once for all of them."""
        mail = self._mail(digest, render(digest, self.site), self._holes, sent_at)
        stencil = _Stencil(mail.as_bytes(), self._holes)
        return lambda reader: stencil.fill(self._own(reader))

    @cached_property
    def _holes(self) -> "_Own":
        """What stands for a reader until the letter is filled in: words that no paper can hold."""
        lengths = [len(self.tokens.sign(purpose, "0" * 20)) for purpose in _LINKS]
        return _Own(
            f"{secrets.token_hex(10)}@hole.invalid",
            secrets.token_hex(10),
            *(secrets.token_hex(length)[:length] for length in lengths),
        )

    def _own(self, reader: Reader) -> "_Own":
        signed = (self.tokens.sign(purpose, reader.public_id) for purpose in _LINKS)
        return _Own(reader.address, reader.public_id, *signed)

    def _mail(
        self, digest: Digest, rendering: Rendering, own: "_Own", sent_at: datetime
    ) -> EmailMessage:
        way_out = self._way_out(own.unsubscribe_token)
        links = ReaderLinks(
            unsubscribe_url=way_out.link,
            preferences_url=self._page(Purpose.PREFERENCES, own.preferences_token),
            like_token=own.like_token,
        )
        return message(
            personal(rendering, links),
            sender=self.sender,
            to=own.address,
            message_id=message_id(digest.edition, digest.issue_date, own.public_id, self.domain),
            date=sent_at,
            list_id=self.list_id,
            unsubscribe=way_out,
            site=self.site,
        )

    def _way_out(self, token: str) -> Unsubscribe:
        return Unsubscribe(
            self._page(Purpose.UNSUBSCRIBE, token) if self.site.is_served else None,
            f"mailto:{quote(self.mailbox, safe='@')}?subject={UNSUBSCRIBE_WORD}%20{token}",
        )

    def _page(self, purpose: Purpose, token: str) -> str:
        return f"{self.site.public_url.rstrip('/')}/{purpose.value}/{token}"


def message_id(edition: str, issue_date: date, public_id: str, domain: str) -> str:
    """The Message-ID, always the same for a message, so that a second copy is known as one."""
    return f"<{edition}.{issue_date}.{public_id}@{domain}>"


def letters(
    digest: Digest,
    post: Post,
    likeness: Likeness,
    *,
    sent_at: datetime,
    has_had: HasHad = nothing,
) -> Compose:
    """How `send_issue` gets its letters; `sent_at` is their Date, so the issue's `created_at`.

    What a reader has had before stands in their mail as one line.
    """
    relisted = frozenset(paper.paper_id for paper in digest.papers if paper.listed_before)

    def compose(rule: Rule) -> Letter | None:
        chosen = choose(digest, rule, likeness)
        if not chosen.papers:
            return None

        @cache
        def letter(known: frozenset[str]) -> Letter:
            return post.letter(_with_known(chosen, known), sent_at=sent_at)

        # The first readers of a rule come at once, over as many connections: without this each
        # connection would render the same letter.
        rendering = Lock()

        def of_reader(reader: Reader) -> bytes:
            known = has_had(reader) & relisted
            with rendering:
                rendered = letter(known)
            return rendered(reader)

        return of_reader

    return compose


def _with_known(digest: Digest, known: frozenset[str]) -> Digest:
    papers = (replace(paper, is_known=paper.paper_id in known) for paper in digest.papers)
    return replace(digest, papers=tuple(papers)) if known else digest


_LINKS = (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES, Purpose.LIKE)


class _Own(NamedTuple):
    """The parts in which two readers' mails of one rendering differ."""

    address: str
    public_id: str
    unsubscribe_token: str
    preferences_token: str
    like_token: str


_BREAK = b"=\r\n"


@cache
def _anywhere(holes: _Own) -> re.Pattern[bytes]:
    """Finds each of the holes, whole or broken; compiling it takes longer than a rendering."""
    breakable = (f"(?:{_BREAK.decode()})?".join(map(re.escape, hole)) for hole in holes)
    return re.compile("|".join(f"({hole})" for hole in breakable).encode())


class _Stencil:
    """A mail cut where readers differ: encoding it for each would take longer than sending it.

    Quoted-printable may break a link over two lines. Tokens of a kind are equally long and need no
    encoding, so every reader's breaks at the same place.
    """

    def __init__(self, mail: bytes, holes: _Own) -> None:
        self._parts: list[bytes | tuple[int, slice]] = []
        end = 0
        for found in _anywhere(holes).finditer(mail):
            self._parts.append(mail[end : found.start()])
            end = found.end()
            which, pieces, at = (found.lastindex or 1) - 1, found[0].split(_BREAK), 0
            for piece in pieces[:-1]:
                self._parts += [(which, slice(at, at + len(piece))), _BREAK]
                at += len(piece)
            self._parts.append((which, slice(at, None)))
        self._parts.append(mail[end:])

    def fill(self, own: _Own) -> bytes:
        """The mail of one reader."""
        values = [value.encode() for value in own]
        return b"".join(
            part if isinstance(part, bytes) else values[part[0]][part[1]] for part in self._parts
        )

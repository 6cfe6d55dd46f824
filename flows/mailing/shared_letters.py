"""What the letters of an issue are made of, so that a sender on any host writes the same bytes.

digest, earlier issues, setup ──JSON, in shared_issues──▶ the same letters there, or why not
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from pydantic import TypeAdapter

from flows.errors import OperationError
from flows.mailing.letters import Post
from flows.mailing.recipients import Reader
from flows.mailing.rules import Rule
from flows.mailing.tokens import Purpose
from flows.newsletter.digest import Digest

_NOBODY = "0" * 20  # a public id that no reader has
_SETTINGS = {
    "sender": "PAPERS_MAIL_FROM",
    "public_url": "PAPERS_PUBLIC_URL",
    "signature": "the first key of PAPERS_SECRET_KEY",
}


class OtherLettersError(OperationError):
    """What is sent from here would differ from what its leader sends; the message says in what."""


@dataclass(frozen=True)
class Setup:
    """What makes two hosts' letters of one digest the same; no key can be read from it."""

    sender: str
    public_url: str
    signature: str  # what the key makes of nobody's id
    sample: str  # of nobody's letter as a whole, so of the version of this project too


@dataclass(frozen=True)
class SharedLetters:
    """An issue as its leader has it, the earlier ones it refers to, and how it is written.

    `published_at` is the publication that tells which papers are alike.
    """

    digest: Digest
    earlier: tuple[Digest, ...]
    published_at: str
    setup: Setup

    def to_json(self) -> str:
        """All of it as text."""
        return _AS_JSON.dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> "SharedLetters":
        """What `to_json` wrote. Raises OtherLettersError where another version wrote it."""
        try:
            return _AS_JSON.validate_json(text)
        except ValueError:
            raise OtherLettersError(_OTHER_VERSION) from None

    def check(self, ours: Setup) -> None:
        """Raise OtherLettersError where letters written with this setup would be others."""
        for name, setting in _SETTINGS.items():
            if getattr(ours, name) != getattr(self.setup, name):
                raise OtherLettersError(
                    f"Nothing is sent from here: {setting} is another one than where the"
                    f" {self.digest.edition} issue of {self.digest.issue_date} is sent from. Give"
                    " all workers the same, in their environment or in papers.env of their homes."
                )
        if ours != self.setup:
            raise OtherLettersError(_OTHER_VERSION)


def setup(post: Post, digest: Digest, *, sent_at: datetime) -> Setup:
    """How letters of this digest are written here."""
    nobody = Reader(0, _NOBODY, "nobody@example.org", Rule(), Rule().key)
    sample = post.mail(digest, nobody, sent_at=sent_at).as_bytes()
    signature = post.tokens.sign(Purpose.UNSUBSCRIBE, _NOBODY)
    return Setup(
        post.sender,
        post.site.public_url,
        sha256(signature.encode()).hexdigest(),
        sha256(sample).hexdigest(),
    )


_AS_JSON = TypeAdapter(SharedLetters)
_OTHER_VERSION = (
    "Nothing is sent from here: Daily Papers writes other letters here than where the issue is sent"
    " from. Install the same version on all hosts that have workers."
)

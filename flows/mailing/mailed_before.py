"""Which papers of an issue a reader was mailed before; they get those as one line.

earlier issues + the ledger ──▶ MailedBefore ──reader──▶ ids of papers
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select

from flows.mailing.database import Mailing
from flows.mailing.recipients import Reader
from flows.mailing.rules import choose
from flows.mailing.tables import deliveries
from flows.mailing.transports import SENT
from flows.newsletter.digest import Digest
from flows.newsletter.likeness import Likeness

HasHad = Callable[[Reader], frozenset[str]]


def nothing(_reader: Reader) -> frozenset[str]:
    """What a reader has had of an issue whose papers no earlier issue carried."""
    return frozenset()


@dataclass(frozen=True)
class MailedBefore:
    """Answers by the reader's choice of today: what it was back then is not kept."""

    earlier: tuple[Digest, ...]
    likeness: Likeness
    _reached: Mapping[date, frozenset[int]]
    _chosen: dict[tuple[str, date], frozenset[str]] = field(default_factory=dict)

    def __call__(self, reader: Reader) -> frozenset[str]:
        """The ids of the papers that earlier issues brought to this reader."""
        return frozenset().union(
            *(
                self._papers(digest, reader)
                for digest in self.earlier
                if reader.id in self._reached[digest.issue_date]
            )
        )

    def _papers(self, digest: Digest, reader: Reader) -> frozenset[str]:
        key = reader.rule_key, digest.issue_date
        if key not in self._chosen:
            papers = choose(digest, reader.rule, self.likeness).papers
            self._chosen[key] = frozenset(paper.paper_id for paper in papers)
        return self._chosen[key]


def mailed_before(mailing: Mailing, earlier: tuple[Digest, ...], likeness: Likeness) -> HasHad:
    """Who was sent these issues, and so knows their papers."""
    if not earlier:
        return nothing
    reached = {one.issue_date: _reached(mailing, one) for one in earlier}
    return MailedBefore(earlier, likeness, reached)


def _reached(mailing: Mailing, digest: Digest) -> frozenset[int]:
    sent = select(deliveries.c.subscriber_id).where(
        deliveries.c.edition == digest.edition,
        deliveries.c.issue_date == digest.issue_date,
        deliveries.c.state == SENT,
    )
    with mailing.read() as connection:
        return frozenset(connection.scalars(sent))

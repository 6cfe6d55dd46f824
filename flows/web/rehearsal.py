"""What a reader's rule would have sent of the digests published lately."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from flows.mailing.rehearsal import Rehearsal, edition_of, organizations_seen, rehearse
from flows.mailing.rules import Rule
from flows.newsletter.digest import Digest, Edition
from flows.newsletter.likeness import Likeness
from flows.publication.kept_open import Publication, now_published
from flows.publication.published import NotPublishedError, recent_digests
from flows.warehouse.database import WarehouseBusyError

_OFFERED = 12


@dataclass
class Rehearser:
    """Rehearses rules on the recent digests, which are read once a publication and edition."""

    published: Path
    likeness: Likeness
    _digests: dict[Edition, Sequence[Digest]] = field(default_factory=dict)
    _publication: Publication | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, rule: Rule) -> Rehearsal:
        """What the rule would have sent."""
        return rehearse(rule, self._recent(edition_of(rule)), self.likeness)

    def organizations(self) -> tuple[str, ...]:
        """The organizations seen most lately, to choose from; none where nothing can be read."""
        with suppress(NotPublishedError, WarehouseBusyError):
            return organizations_seen(self._recent("daily"))[:_OFFERED]
        return ()

    def _recent(self, edition: Edition) -> Sequence[Digest]:
        with self._lock:
            publication = now_published(self.published)
            if publication != self._publication:
                self._digests.clear()
                self._publication = publication
            if edition not in self._digests:
                self._digests[edition] = recent_digests(self.published, edition)
            return self._digests[edition]

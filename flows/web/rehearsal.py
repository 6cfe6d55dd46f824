"""What a reader's rule would have sent of the digests published lately."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from flows.mailing.rehearsal import Rehearsal, organizations_seen, rehearse
from flows.mailing.rules import Rule
from flows.newsletter.digest import Digest
from flows.newsletter.likeness import Likeness
from flows.publication.kept_open import Publication, now_published
from flows.publication.published import NotPublishedError, recent_digests
from flows.warehouse.database import WarehouseBusyError

_OFFERED = 12


@dataclass
class Rehearser:
    """Rehearses rules on the recent digests, which are read once a publication."""

    published: Path
    likeness: Likeness
    _digests: Sequence[Digest] = ()
    _publication: Publication | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, rule: Rule) -> Rehearsal:
        """What the rule would have sent."""
        return rehearse(rule, self._recent(), self.likeness)

    def organizations(self) -> tuple[str, ...]:
        """The organizations seen most lately, to choose from; none where nothing can be read."""
        with suppress(NotPublishedError, WarehouseBusyError):
            return organizations_seen(self._recent())[:_OFFERED]
        return ()

    def _recent(self) -> Sequence[Digest]:
        with self._lock:
            publication = now_published(self.published)
            if publication != self._publication:
                self._digests = recent_digests(self.published)
                self._publication = publication
            return self._digests

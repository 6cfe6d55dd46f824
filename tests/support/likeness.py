"""Likeness that a test says, without a publication."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flows.newsletter.likeness import Alike


@dataclass(frozen=True)
class SaidLikeness:
    """Knows these nearnesses of a paper to a named one, and no other paper."""

    nearness: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def alike(
        self, paper_ids: Sequence[str], like: Sequence[str], unlike: Sequence[str]
    ) -> Mapping[str, Alike]:
        """The nearest named paper of each."""
        found: dict[str, Alike] = {}
        for paper_id in paper_ids:
            named = [n for n in (*like, *unlike) if (paper_id, n) in self.nearness]
            if named:
                nearest = max(named, key=lambda n: self.nearness[paper_id, n])
                reason = None if nearest in unlike else f"like {nearest}: the sea"
                found[paper_id] = Alike(self.nearness[paper_id, nearest], reason)
        return found

    def unknown(self, paper_ids: Sequence[str]) -> Sequence[str]:
        """Those of which nothing was said."""
        known = {named for _, named in self.nearness}
        return [paper_id for paper_id in paper_ids if paper_id not in known]


NOTHING_ALIKE = SaidLikeness()

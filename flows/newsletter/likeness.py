"""What it is to be like a paper that a reader named; who can tell is handed in.

paper ids + a reader's papers ──Likeness──▶ Alike by paper id
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Alike:
    """How a paper is near to one that a reader named; `nearness` is 1 and above for the same.

    `reason`: “like 2608.12313: long context, hybrid attention”; None where the paper it is nearest
    to is one that the reader wants less of.
    """

    nearness: float
    reason: str | None


class Likeness(Protocol):
    """Tells how alike papers are, by their words and their meaning."""

    def alike(
        self, paper_ids: Sequence[str], like: Sequence[str], unlike: Sequence[str]
    ) -> Mapping[str, Alike]:
        """Which of these papers are alike to one of `like` or `unlike`, by id."""
        ...

    def unknown(self, paper_ids: Sequence[str]) -> Sequence[str]:
        """Which of these papers nothing is kept of: no paper can be found to be like them."""
        ...

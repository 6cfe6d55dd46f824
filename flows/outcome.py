"""How a run ended: one verdict, one sentence, one exit code."""

from dataclasses import dataclass, replace
from pathlib import Path

EXIT_OK, EXIT_BLOCKED, EXIT_USAGE, EXIT_LATER = 0, 1, 2, 75
_EXIT_CODES = {"not_open": EXIT_LATER, "partial": EXIT_LATER, "failed": EXIT_BLOCKED}


class BuildFailedError(Exception):
    """A model or a data test failed; the message names it."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended, for the terminal, the exit code and Prefect."""

    verdict: str
    sentence: str
    quality_page: Path | None = None
    details: tuple[str, ...] = ()
    issue: Path | None = None
    is_blocked: bool = False
    stopped_by: str = ""  # what a gate said, where it stopped the reading
    mail: str = ""  # what became of the issue's mail, as `sentence` ends

    @property
    def exit_code(self) -> int:
        """0 done or rightly nothing to do, 1 blocked or failed, 75 try again later."""
        return EXIT_BLOCKED if self.is_blocked else _EXIT_CODES.get(self.verdict, EXIT_OK)

    def adding(self, sentence: str) -> "Outcome":
        """The same ending with one more sentence at its end."""
        return replace(self, sentence=f"{self.sentence} {sentence}")

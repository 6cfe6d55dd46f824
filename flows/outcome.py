"""How a run ended: one verdict, one sentence, one exit code."""

from dataclasses import dataclass, replace
from pathlib import Path

EXIT_OK, EXIT_BLOCKED, EXIT_USAGE, EXIT_LATER = 0, 1, 2, 75
EXIT_INTERRUPTED = 130  # as shells name the end by SIGINT
INTERRUPTED = "interrupted"  # no verdict: Ctrl-C; what was read is kept
BUSY = "busy"  # no verdict: another run holds the warehouse, and this one did nothing
_EXIT_CODES = {
    **dict.fromkeys(("not_open", "partial", BUSY), EXIT_LATER),
    "failed": EXIT_BLOCKED,
    INTERRUPTED: EXIT_INTERRUPTED,
}


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

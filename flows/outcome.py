"""How a run ended: one verdict, one sentence, one exit code; the same words in Prefect's UI."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

EXIT_OK, EXIT_BLOCKED, EXIT_USAGE, EXIT_LATER = 0, 1, 2, 75
_EXIT_CODES = {"not_open": EXIT_LATER, "partial": EXIT_LATER, "failed": EXIT_BLOCKED}


@dataclass(frozen=True)
class Outcome:
    """What a run comes to, for the terminal, the exit code and Prefect's final state."""

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

    def as_state(self) -> "State":
        """The final state of the flow run; its name is the verdict, its message the sentence."""
        # Imported here: Prefect reads its settings when it is imported, and takes a second.
        from prefect.states import Completed, Failed

        if self.exit_code == EXIT_BLOCKED:
            return Failed(message=self.sentence, data=BlockedError(self))
        name = self.verdict.replace("_", " ").capitalize()
        return Completed(name=name, message=self.sentence, data=self)


class BlockedError(Exception):
    """What the state of a failed run holds, since Prefect wants an exception there."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.sentence)
        self.outcome = outcome


def outcome_of(state: "State[Any]") -> Outcome:
    """How the run that ended in this state ended. Raises what a bug of ours raised."""
    result = state.result(raise_on_failure=False)
    if isinstance(result, Outcome):
        return result
    if isinstance(result, BlockedError):
        return result.outcome
    assert isinstance(result, BaseException)  # noqa: S101  Prefect's result of a failed run
    raise result

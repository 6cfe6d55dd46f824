"""An outcome as Prefect's final state of a run, and back: the same words in its UI."""

from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.outcome import EXIT_BLOCKED, Outcome


class BlockedError(Exception):
    """What the state of a failed run holds, since Prefect wants an exception there."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.sentence)
        self.outcome = outcome


def final_state(outcome: Outcome) -> State:
    """The final state of the flow run; its name is the verdict, its message the sentence."""
    if outcome.exit_code == EXIT_BLOCKED:
        return Failed(message=outcome.sentence, data=BlockedError(outcome))
    name = outcome.verdict.replace("_", " ").capitalize()
    return Completed(name=name, message=outcome.sentence, data=outcome)


def outcome_of(state: State[Any]) -> Outcome:
    """The outcome that this final state holds. Raises again what a bug of ours raised."""
    result = state.result(raise_on_failure=False)
    if isinstance(result, Outcome):
        return result
    if isinstance(result, BlockedError):
        return result.outcome
    assert isinstance(result, BaseException)  # noqa: S101  Prefect's result of a failed run
    raise result

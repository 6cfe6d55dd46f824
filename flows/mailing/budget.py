"""When a run over an issue has to stop: too much goes wrong, or nobody can be reached at all."""

import threading
from collections import deque
from collections.abc import Mapping

from flows.mailing.transports import DEFERRED, FAILED, SENT, UNKNOWN, SendResult
from flows.wording import counted


class StopError(Exception):
    """The run ends here; the issue is paused, or goes on in the next run."""

    def __init__(self, reason: str, *, is_pause: bool) -> None:
        super().__init__(reason)
        self.reason, self.is_pause = reason, is_pause


class ErrorBudget:
    """What became of a run's messages; safe for its threads."""

    def __init__(self, errors_max: int, window: int) -> None:
        self._errors_max = errors_max
        self._wrong: deque[bool] = deque(maxlen=window)
        self._lock = threading.Lock()
        self._refused_count, self._last_refusal = 0, ""
        self.tried_count = 0

    def judge(self, result: SendResult) -> None:
        """Count a message. Raises StopError where too many of the last ones went wrong."""
        with self._lock:
            self.tried_count += 1
            if result.is_refusal:
                self._refused_count += 1
                self._last_refusal = result.reason
            self._wrong.append(result.state in {DEFERRED, FAILED, UNKNOWN})
            if (wrong := sum(self._wrong)) >= self._errors_max:
                last = f"the last: {result.reason}" if result.reason else "of several kinds"
                raise StopError(
                    f"Paused: {wrong} of {len(self._wrong)} messages went wrong, {last}.",
                    is_pause=True,
                )

    def all_refused(self) -> StopError | None:
        """Why the run stops where the relay refused every single reader; None otherwise."""
        if not self.tried_count or self._refused_count < self.tried_count:
            return None
        tried = counted(self.tried_count, "message")
        reason = f"Paused: {tried} tried, all refused, the last: {self._last_refusal}."
        return StopError(reason, is_pause=True)


def nobody_reached(counts: Mapping[str, int]) -> StopError | None:
    """Why an issue that was sent by the operator's word is not over: not one reader has it."""
    if counts.get(SENT) or not any(counts.get(state) for state in (DEFERRED, FAILED, UNKNOWN)):
        return None
    return StopError("Paused: nobody was reached.", is_pause=True)

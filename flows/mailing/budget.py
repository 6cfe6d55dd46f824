"""When a run over an issue has to stop: too much goes wrong, or nobody can be reached at all."""

import threading
from collections import deque
from collections.abc import Mapping

from flows.mailing.ledger_issues import CLAIMED
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


def nobody_reached(
    counts: Mapping[str, int], *, is_forced: bool, was_paused: bool
) -> StopError | None:
    """Why an issue is not over though nothing is left to send: no reader is sure to have it.

    Who is deferred is tried again, so then only a pause stays. Where all are refused, a run by
    itself is stopped by its `ErrorBudget`, and one by the operator's word (`is_forced`) here.
    """
    if counts.get(SENT) or counts.get(CLAIMED):
        return None
    if counts.get(DEFERRED):
        is_stuck = was_paused
    else:
        is_stuck = bool(counts.get(UNKNOWN) or (is_forced and counts.get(FAILED)))
    return StopError("Paused: nobody was reached.", is_pause=True) if is_stuck else None

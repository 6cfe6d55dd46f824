"""One sender's run over an issue: claim, render once a rule, send over a few connections.

ledger pages ──▶ one letter a rule ──▶ queue ──▶ connections ──▶ ledger
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain

from flows.mailing.budget import ErrorBudget, StopError
from flows.mailing.ledger import Ledger, Result
from flows.mailing.recipients import Reader
from flows.mailing.rules import Rule
from flows.mailing.transports import (
    DEFERRED,
    WITHHELD,
    Connection,
    Parcel,
    SendResult,
    StaleConnectionError,
    Transport,
    TransportError,
)

_LETTERS_KEPT = 256  # more than the rules of one page of the ledger
_PROGRESS_SECONDS = 2.0

Letter = Callable[[Reader], bytes]
"""The message of a rule, for one of its readers; lines end in CRLF."""
Compose = Callable[[Rule], Letter | None]
"""Renders a rule once for all its readers; None where nothing matched."""
OnProgress = Callable[[int, int], None]
"""Told now and then, and at the end: how many readers were tried, and how many there were."""


@dataclass(frozen=True)
class SendLimits:
    """How fast, how long, and when to stop."""

    connections_count: int = 4
    messages_per_second: float | None = None
    # Of the last `window` messages so many may go wrong; then the issue pauses. Lower, and a few
    # dead addresses stop a list; higher, and a relay that refuses us burns through more of it.
    errors_max: int = 20
    errors_window: int = 100
    issue_life: timedelta = timedelta(hours=36)
    # A relay that restarts is away for seconds; after these the run ends and the next one goes on.
    reconnect_pauses: tuple[float, ...] = (1, 4, 15)


@dataclass(frozen=True)
class _Job:
    reader: Reader
    letter: Letter


class Sender:
    """One run over one issue: as many threads as connections, each pulling the next reader."""

    def __init__(
        self,
        ledger: Ledger,
        compose: Compose,
        transport: Transport,
        limits: SendLimits,
        on_progress: OnProgress | None = None,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> None:
        self._ledger, self._compose = ledger, compose
        self._transport, self._limits = transport, limits
        self._on_progress, self._may_go_on = on_progress, may_go_on
        self.is_called_off = False
        self._total: int | None = None  # of readers, once it is asked
        self.budget = ErrorBudget(limits.errors_max, limits.errors_window)
        self._letters: dict[str, Letter | None] = {}
        self._jobs: Iterator[_Job] = iter(())
        self._pulling = threading.Lock()
        self._returned: deque[_Job] = deque()  # of threads that could not open a connection
        self._is_ending = threading.Event()
        self._stop: StopError | None = None
        self._lock = threading.Lock()
        self._open_count = 0
        self._next_slot = 0.0

    def send(self, *, is_new_begun: bool) -> StopError | None:
        """Send what is new if it may begin, and what is due; why it stopped before the end.

        New ones go first: what was deferred may be what went wrong, and would stop the run again.
        It ends within seconds, or a page, of the moment from which it may not go on.
        """
        self._returned.clear()  # of the time before: what was not sent then is claimed anew
        pages = [self._ledger.claim_deferred()]
        if is_new_begun:
            pages.insert(0, self._ledger.claim_new(lambda r: self._letter(r) is not None))
        self._jobs = self._claimed(chain(*pages))
        if self._on_progress and self._total is None:
            self._total = self._ledger.waiting_count()
        with ThreadPoolExecutor(self._limits.connections_count) as pool:
            workers = [pool.submit(self._work) for _ in range(self._limits.connections_count)]
            try:
                self._wait(workers)
            except BaseException:
                self._is_ending.set()
                self._transport.cut()  # else Ctrl-C waits ten minutes for a relay that is silent
                raise
        self._ledger.give_back("not begun when the run ended")
        for worker in workers:
            worker.result()  # raises what a thread died of
        return self._stop

    def _wait(self, workers: Collection[Future[None]]) -> None:
        is_done = False
        while not is_done:
            is_done = not wait(workers, _PROGRESS_SECONDS).not_done
            if not is_done:
                self._is_let()
            self.tell()

    def tell(self) -> None:
        """Tell how far it is."""
        if self._on_progress:
            self._on_progress(self.budget.tried_count, self._total or 0)

    def _claimed(self, pages: Iterator[list[Reader]]) -> Iterator[_Job]:
        for page in pages:
            # Asked once the page is ours: whoever pauses sees it claimed, or we see the pause.
            if not self._is_let():
                return
            for reader in page:
                if letter := self._letter(reader):
                    yield _Job(reader, letter)
                else:  # the reader chose anew since it was deferred
                    self._ledger.note(
                        [(reader, SendResult(WITHHELD, "nothing matched their choice"))]
                    )

    def _is_let(self) -> bool:
        """Whether this run may go on; if not, it ends."""
        if not self._may_go_on():
            self.is_called_off = True
            self._is_ending.set()
        return not self.is_called_off

    def _letter(self, reader: Reader) -> Letter | None:
        """The letter for the reader's rule; readers come by rule, so a few kept ones suffice."""
        if reader.rule_key not in self._letters:
            if len(self._letters) >= _LETTERS_KEPT:
                del self._letters[next(iter(self._letters))]
            self._letters[reader.rule_key] = self._compose(reader.rule)
        return self._letters[reader.rule_key]

    def _work(self) -> None:
        connection: Connection | None = None
        results: list[Result] = []  # not written yet: it goes with the next mark, in one commit
        try:
            while job := self._take(results):
                connection, outcome = self._hand_over(connection, job, results)
                if connection is None:
                    self._returned.append(job)  # others have a connection
                    return
                results.append((job.reader, outcome))
                self.budget.judge(outcome)
                if outcome.is_cut:
                    self._close(connection)
                    connection = None
        except StopError as stop:
            self._stop = self._stop or stop
            self._is_ending.set()
        except BaseException:
            self._is_ending.set()
            raise
        finally:
            self._close(connection)
            self._ledger.note(results)

    def _take(self, results: list[Result]) -> _Job | None:
        """The next job when its time has come, or None at the end."""
        if self._limits.messages_per_second:
            self._ledger.note(results)  # nothing stays unwritten while we wait
            results.clear()
            self._pace(self._limits.messages_per_second)
        with self._pulling:
            if self._is_ending.is_set():
                return None
            return self._returned.popleft() if self._returned else next(self._jobs, None)

    def _pace(self, rate: float) -> None:
        """Wait for a message's slot; slots stand evenly, so no second ever has more."""
        with self._lock:
            slot = max(time.monotonic(), self._next_slot)
            self._next_slot = slot + 1 / rate
        self._is_ending.wait(slot - time.monotonic())

    def _hand_over(
        self, connection: Connection | None, job: _Job, results: list[Result]
    ) -> tuple[Connection | None, SendResult]:
        def may_send() -> bool:
            is_ours = self._ledger.note(tuple(results), begin=job.reader)
            results.clear()
            return is_ours

        parcel = Parcel(job.reader.public_id, job.reader.address, job.letter(job.reader))
        if connection:
            try:
                return connection, connection.send(parcel, may_send)
            except StaleConnectionError:
                self._close(connection)
        connection = self._open()
        if connection is None:
            return None, SendResult(WITHHELD)
        try:
            return connection, connection.send(parcel, may_send)
        except StaleConnectionError as error:
            return connection, SendResult(DEFERRED, f"cut off: {error}", is_cut=True)

    def _open(self) -> Connection | None:
        """Give a new connection, or None where none can be had but other threads have theirs."""
        for pause in (*self._limits.reconnect_pauses, 0):
            try:
                connection = self._transport.open()
            except TransportError as error:
                failure = error
                if error.is_lasting or self._is_ending.wait(pause):
                    break
            else:
                with self._lock:
                    self._open_count += 1
                return connection
        with self._lock:
            if self._open_count:
                return None
        raise StopError(f"Stopped: {failure}", is_pause=False) from failure

    def _close(self, connection: Connection | None) -> None:
        if connection:
            connection.close()
            with self._lock:
                self._open_count -= 1

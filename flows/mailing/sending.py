"""An issue to everybody who chose it: claim, render once a rule, send over a few connections.

ledger pages ──▶ one letter a rule ──▶ queue ──▶ connections ──▶ ledger
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from flows.mailing.budget import ErrorBudget, StopError, nobody_reached
from flows.mailing.database import Mailing
from flows.mailing.leases import lease
from flows.mailing.ledger import (
    CLAIMED,
    DONE,
    PAUSED,
    SENDING,
    SKIPPED,
    TOO_LATE,
    Issue,
    Ledger,
    Reader,
    Result,
    counts,
    find_issue,
    is_superseded,
    newest_issues,
    next_attempt_at,
    set_issue,
    set_issue_due,
)
from flows.mailing.rules import Rule
from flows.mailing.transports import (
    DEFERRED,
    FAILED,
    SENT,
    UNKNOWN,
    WITHHELD,
    Connection,
    Parcel,
    SendResult,
    StaleConnectionError,
    Transport,
    TransportError,
)

_LETTERS_KEPT = 256  # more than the rules of one page of the ledger
_NOT_CURRENT = "Not sent: a newer issue is due, and only the newest goes out by itself."
_PAUSED_LIFE = timedelta(days=14)  # as long as incidents are watched
_PROGRESS_SECONDS = 2.0

Letter = Callable[[Reader], bytes]
"""The message of a rule, for one of its readers; lines end in CRLF."""
Compose = Callable[[Rule], Letter | None]
"""Renders a rule once for all its readers; None where nothing matched."""
OnBegin = Callable[[bool], None]
"""Called once before the first message leaves: whether those who have no entry yet get one."""
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
class SendReport:
    """What stands in the ledger after a run. `is_blocked`: somebody has to look."""

    issue: Issue
    sentence: str
    counts: Mapping[str, int]
    next_attempt_at: datetime | None
    is_blocked: bool


def send_issue(
    mailing: Mailing,
    issue: Issue,
    compose: Compose,
    transport: Transport,
    *,
    limits: SendLimits | None = None,
    clock: Callable[[], datetime],
    is_current: bool = True,
    is_forced: bool = False,
    on_progress: OnProgress | None = None,
    on_begin: OnBegin | None = None,
) -> SendReport:
    """Send the issue to all who have not had it and whose turn it is; safe to run at any time.

    By itself an issue goes out only while it is young and not paused, and begins only while it is
    the newest of its edition, in the ledger and as far as the caller knows (`is_current`);
    `is_forced` is the operator's word that it shall go out all the same.
    """
    limits = limits or SendLimits()
    issue = find_issue(mailing, issue.edition, issue.issue_date) or issue
    with lease(mailing) as number, closing(Ledger(mailing, issue, number, clock)) as ledger:
        ledger.recover()
        if is_forced:
            # The operator's word makes it young again: it has its whole life to reach everybody.
            issue = set_issue_due(mailing, issue, clock())
            ledger.make_due()
        _close_expired(mailing, issue.edition, number, limits, clock)
        if not is_forced and (why_not := _why_not(issue, limits, clock)):
            return _report(mailing, issue, why_not, is_blocked=issue.state == PAUSED)
        before = counts(mailing, issue).get(SENT, 0)
        issue = set_issue(mailing, issue, SENDING, "Being sent.", now=clock())
        is_newest = is_forced or (is_current and not is_superseded(mailing, issue))
        if on_begin:
            on_begin(is_newest)
        run = _Run(ledger, compose, transport, limits, on_progress)
        stop = run.send(is_new_begun=is_newest)
        reached_count = counts(mailing, issue).get(SENT, 0)
        stop = stop or (None if reached_count else run.budget.all_refused())
        ledger.count_refusals(is_relay_sound=stop is None and reached_count > 0)
    now = counts(mailing, issue)
    if is_forced and not stop:
        stop = nobody_reached(now)
    meanwhile = find_issue(mailing, issue.edition, issue.issue_date) or issue
    if not stop and meanwhile.state == PAUSED:  # by another run, whose word stands
        return _report(mailing, meanwhile, meanwhile.sentence, is_blocked=True)
    if stop:
        sentence, state = f"{stop.reason} {_tally(now)}", PAUSED if stop.is_pause else SENDING
    else:
        again = "Already sent" if now.get(SENT) == before else "Sent"
        sentence = _tally(now, again)
        if not is_newest:
            rest = " Nobody else gets it: a newer issue is due."
            sentence = sentence + rest if now else _NOT_CURRENT
        state = SENDING if not now or now.get(CLAIMED) or now.get(DEFERRED) else DONE
    issue = set_issue(mailing, issue, state, sentence, now=clock())
    return _report(mailing, issue, sentence, is_blocked=stop is not None)


def _close_expired(
    mailing: Mailing,
    edition: str,
    number: int,
    limits: SendLimits,
    clock: Callable[[], datetime],
) -> None:
    """Fail what issues past their life still hold back, so that no state is for ever."""
    for old in newest_issues(mailing):
        # A paused one waits for the operator, who was told how to go on.
        life = max(limits.issue_life, _PAUSED_LIFE) if old.state == PAUSED else limits.issue_life
        if old.edition == edition and old.state != DONE and _age(old, clock) > life:
            ledger = Ledger(mailing, old, number, clock)
            ledger.recover()
            ledger.expire(f"{TOO_LATE} {_long(life)}")
            ended = counts(mailing, old)
            set_issue(
                mailing,
                old,
                DONE,
                _tally(ended) if ended else f"Nobody was sent it within {_long(life)}.",
                now=clock(),
            )


def _why_not(issue: Issue, limits: SendLimits, clock: Callable[[], datetime]) -> str | None:
    if issue.state == PAUSED:
        return issue.sentence
    if (age := _age(issue, clock)) > limits.issue_life:
        life = _long(limits.issue_life)
        return f"Not sent: it is {_long(age)} old, and after {life} no issue goes out by itself."
    return None


def _report(mailing: Mailing, issue: Issue, sentence: str, *, is_blocked: bool) -> SendReport:
    return SendReport(
        issue, sentence, counts(mailing, issue), next_attempt_at(mailing, issue), is_blocked
    )


def _age(issue: Issue, clock: Callable[[], datetime]) -> timedelta:
    return clock() - issue.due_at


def _long(length: timedelta) -> str:
    if length.days > 4:
        return f"{length.days} days"
    return f"{length.total_seconds() / 3600:.0f} hours"


def _tally(now: Mapping[str, int], sent: str = "Sent") -> str:
    """The counts in words: “Sent to 997, 2 deferred, 1 unknown”."""
    if not now:
        return "There is nobody to send to."
    others = (DEFERRED, FAILED, UNKNOWN, SKIPPED, CLAIMED)
    rest = "".join(f", {now[state]:,} {state}" for state in others if now.get(state))
    return f"{sent} to {now.get(SENT, 0):,}{rest}."


@dataclass(frozen=True)
class _Job:
    reader: Reader
    letter: Letter


class _Run:
    """One run over one issue: as many threads as connections, each pulling the next reader."""

    def __init__(
        self,
        ledger: Ledger,
        compose: Compose,
        transport: Transport,
        limits: SendLimits,
        on_progress: OnProgress | None,
    ) -> None:
        self._ledger, self._compose = ledger, compose
        self._transport, self._limits = transport, limits
        self._on_progress = on_progress
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
        """
        pages = [self._ledger.claim_deferred()]
        if is_new_begun:
            pages.insert(0, self._ledger.claim_new(lambda r: self._letter(r) is not None))
        self._jobs = self._claimed(chain(*pages))
        total = self._ledger.waiting_count() if self._on_progress else 0
        with ThreadPoolExecutor(self._limits.connections_count) as pool:
            workers = [pool.submit(self._work) for _ in range(self._limits.connections_count)]
            try:
                self._wait(workers, total)
            except BaseException:
                self._is_ending.set()
                raise
        self._ledger.give_back("not begun when the run ended")
        for worker in workers:
            worker.result()  # raises what a thread died of
        return self._stop

    def _wait(self, workers: Collection[Future[None]], total: int) -> None:
        is_done = False
        while not is_done:
            is_done = not wait(workers, _PROGRESS_SECONDS).not_done
            if self._on_progress:
                self._on_progress(self.budget.tried_count, total)

    def _claimed(self, pages: Iterator[list[Reader]]) -> Iterator[_Job]:
        for page in pages:
            for reader in page:
                if letter := self._letter(reader):
                    yield _Job(reader, letter)
                else:  # the reader chose anew since it was deferred
                    self._ledger.note(
                        [(reader, SendResult(WITHHELD, "nothing matched their choice"))]
                    )

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

"""An issue to everybody who chose it, by one sender or several: who begins, waits, pauses, ends it.

run ──send_issue──▶ leader: opens the issue, sends, and has others take part where they can
                    others ──take_part──▶ send the same issue until nothing is left to claim
"""

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from flows.mailing.budget import StopError, nobody_reached
from flows.mailing.database import Mailing
from flows.mailing.leases import is_alive, lease
from flows.mailing.ledger import TOO_LATE, Ledger
from flows.mailing.ledger_issues import (
    CLAIMED,
    DONE,
    PAUSED,
    SENDING,
    SKIPPED,
    Ending,
    Issue,
    counts,
    find_issue,
    is_superseded,
    newest_issues,
    next_attempt_at,
    set_issue,
    set_issue_due,
    settle_issue,
)
from flows.mailing.rules import Rule
from flows.mailing.sender import Compose, OnProgress, Sender, SendLimits
from flows.mailing.shared import (
    SharedIssue,
    Sharing,
    end_sharing,
    find_shared,
    is_led_by,
    is_paused,
    share,
)
from flows.mailing.transports import DEFERRED, FAILED, SENT, UNKNOWN, Transport
from flows.wording import counted

_NOT_CURRENT = "Not sent: a newer issue is due, and only the newest goes out by itself."
_PAUSED_LIFE = timedelta(days=14)  # as long as incidents are watched
# Another sender that lives and answers for nothing in this time is not waited for: a message takes
# a relay minutes at most.
_PATIENCE_SECONDS = 600.0
_LOOK_SECONDS = 1.0

OnBegin = Callable[[bool], None]
"""Called once before the first message leaves: whether those who have no entry yet get one."""


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
    sharing: Sharing | None = None,
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
        before, was_paused = counts(mailing, issue).get(SENT, 0), issue.state == PAUSED
        issue = settle_issue(mailing, issue, _beginning(is_forced=is_forced), now=clock())
        if issue.state == PAUSED:  # by another sender, just now
            return _report(mailing, issue, issue.sentence, is_blocked=True)
        is_newest = is_forced or (is_current and not is_superseded(mailing, issue))
        if on_begin:
            on_begin(is_newest)
        # Who took part for a leader that died goes by the word of that one no more.
        is_shared = end_sharing(mailing, issue)
        if sharing and is_newest:
            waiting = ledger.waiting_count()
            shared = share(mailing, issue, number, sharing, waiting, limits, clock())
            if shared:
                is_shared, limits = True, shared.part_of(limits)
        tell = _of_all(ledger, on_progress) if is_shared else on_progress
        sender = Sender(
            ledger, compose, transport, limits, tell, lambda: not is_paused(mailing, issue)
        )
        try:
            stop = _send(mailing, issue, ledger, sender, is_newest=is_newest, is_shared=is_shared)
        except BaseException:
            end_sharing(mailing, issue)
            raise
        reached_count = counts(mailing, issue).get(SENT, 0)
        stop = stop or (None if reached_count else sender.budget.all_refused())
        ledger.count_refusals(is_relay_sound=stop is None and reached_count > 0)
        ending = _ending(
            stop, before, is_forced=is_forced, is_newest=is_newest, was_paused=was_paused
        )
        issue = settle_issue(mailing, issue, ending, now=clock())
        if stop or issue.state != SENDING:
            end_sharing(mailing, issue)
        if is_shared and stop:  # the others end too, and what they had begun counts
            _wait_for_others(mailing, issue, ledger)
            issue = settle_issue(mailing, issue, ending, now=clock())
    is_blocked = issue.state == PAUSED or (stop is not None and issue.state != DONE)
    return _report(mailing, issue, issue.sentence, is_blocked=is_blocked)


def _beginning(*, is_forced: bool) -> Ending:
    """How an issue begins to be sent: a pause ends by the operator's word alone."""

    def beginning(meanwhile: Issue, _now: Mapping[str, int]) -> tuple[str, str]:
        if meanwhile.state == PAUSED and not is_forced:
            return PAUSED, meanwhile.sentence
        return SENDING, "Being sent."

    return beginning


def _send(
    mailing: Mailing,
    issue: Issue,
    ledger: Ledger,
    sender: Sender,
    *,
    is_newest: bool,
    is_shared: bool,
) -> StopError | None:
    """Send, also what others who take part leave undone; why it stopped before the end."""
    stop = sender.send(is_new_begun=is_newest)
    while is_shared and not (stop or sender.is_called_off):
        _wait_for_others(mailing, issue, ledger, sender.tell)
        if not ledger.is_anything_due():
            break
        stop = sender.send(is_new_begun=False)
    return stop


def _ending(
    stop: StopError | None, before: int, *, is_forced: bool, is_newest: bool, was_paused: bool
) -> Ending:
    """How the leader ends an issue; `before` it, so many readers had been sent it."""

    def ending(meanwhile: Issue, now: Mapping[str, int]) -> tuple[str, str]:
        failure = stop or nobody_reached(now, is_forced=is_forced, was_paused=was_paused)
        if meanwhile.state == PAUSED and not (failure and failure.is_pause):
            return PAUSED, meanwhile.sentence  # by another sender, whose word stands
        if meanwhile.state == DONE and not (_is_open(now) or (failure and failure.is_pause)):
            return DONE, _tally(now)  # the others reached whom this one could not
        if failure:
            return PAUSED if failure.is_pause else SENDING, f"{failure.reason} {_tally(now)}"
        sentence = _tally(now, "Already sent" if now.get(SENT) == before else "Sent")
        if not is_newest:
            rest = " Nobody else gets it: a newer issue is due."
            sentence = sentence + rest if now else _NOT_CURRENT
        return DONE if now and not _is_open(now) else SENDING, sentence

    return ending


def take_part(
    mailing: Mailing,
    shared: SharedIssue,
    compose: Compose,
    transport: Transport,
    *,
    clock: Callable[[], datetime],
    takes: Callable[[Rule], bool] = lambda _rule: True,
    on_progress: OnProgress | None = None,
) -> SendReport | None:
    """Send an issue along with its leader until nothing is left to claim; None if that is over.

    It begins only while the leader lives, and goes on without one that was killed: what it then
    leaves undone, or leaves to others (`takes`), is the next leader's. It never opens or expires
    an issue, and says that one is done only where nobody is left. `clock` is to agree with the
    leader's, or one waits for what the other deferred.
    """
    issue = find_issue(mailing, shared.edition, shared.issue_date)
    if issue is None or not is_alive(mailing, shared.leader) or not is_led_by(mailing, shared):
        return None

    with (
        lease(mailing) as number,
        closing(Ledger(mailing, issue, number, clock, takes)) as ledger,
    ):
        limits = shared.part_of(SendLimits())
        sender = Sender(
            ledger, compose, transport, limits, on_progress, lambda: is_led_by(mailing, shared)
        )
        stop = sender.send(is_new_begun=True)
        while not (stop or sender.is_called_off) and ledger.recover():
            stop = sender.send(is_new_begun=True)
        reached_count = counts(mailing, issue).get(SENT, 0)
        ledger.count_refusals(is_relay_sound=stop is None and reached_count > 0)
        waiting_count = ledger.waiting_count()
        now_shared = find_shared(mailing, shared.edition, shared.issue_date)
        is_ours = now_shared is not None and now_shared.leader == shared.leader

        def ending(meanwhile: Issue, now: Mapping[str, int]) -> tuple[str, str]:
            if is_ours and stop and stop.is_pause and meanwhile.state != DONE:
                return PAUSED, f"{stop.reason} {_tally(now)}"
            if not is_ours or stop or meanwhile.state != SENDING:
                return meanwhile.state, meanwhile.sentence
            return SENDING if waiting_count or _is_open(now) else DONE, _tally(now)

        issue = settle_issue(mailing, issue, ending, now=clock())
        if is_ours and stop and stop.is_pause:
            _wait_for_others(mailing, issue, ledger)
            issue = settle_issue(mailing, issue, ending, now=clock())
        if is_ours and issue.state != SENDING:
            end_sharing(mailing, issue)
    why = stop.reason if stop and not stop.is_pause else issue.sentence
    sentence = f"{counted(sender.budget.tried_count, 'message')} tried from here. {why}"
    return _report(mailing, issue, sentence, is_blocked=stop is not None or issue.state == PAUSED)


def pause_for(mailing: Mailing, shared: SharedIssue, why: str, *, now: datetime) -> None:
    """Pause an issue that its leader should not be sending."""

    def ending(meanwhile: Issue, _now: Mapping[str, int]) -> tuple[str, str]:
        is_sent = meanwhile.state == SENDING
        return (PAUSED, why) if is_sent else (meanwhile.state, meanwhile.sentence)

    issue = find_issue(mailing, shared.edition, shared.issue_date)
    if issue and is_led_by(mailing, shared):
        settle_issue(mailing, issue, ending, now=now)


def _is_open(now: Mapping[str, int]) -> bool:
    """Whether messages are under way, or wait for their time."""
    return bool(now.get(CLAIMED) or now.get(DEFERRED))


def _of_all(ledger: Ledger, on_progress: OnProgress | None) -> OnProgress | None:
    """Tell how far all senders are together, where one tells how far it is itself."""
    if on_progress is None:
        return None
    return lambda _tried, total: on_progress(max(0, total - ledger.waiting_count()), total)


def _wait_for_others(
    mailing: Mailing, issue: Issue, ledger: Ledger, tell: Callable[[], None] = lambda: None
) -> None:
    """Wait until no other sender holds a message, or until what a dead one held is free."""
    last, since = dict[str, int](), time.monotonic()
    while (now := counts(mailing, issue)).get(CLAIMED) and not ledger.recover():
        if now != last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > _PATIENCE_SECONDS:
            return
        tell()
        time.sleep(_LOOK_SECONDS)


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
    return counted(round(length.total_seconds() / 3600), "hour")


def _tally(now: Mapping[str, int], sent: str = "Sent") -> str:
    """The counts in words: “Sent to 997, 2 deferred, 1 unknown”."""
    if not now:
        return "There is nobody to send to."
    others = (DEFERRED, FAILED, UNKNOWN, SKIPPED, CLAIMED)
    rest = "".join(f", {now[state]:,} {state}" for state in others if now.get(state))
    return f"{sent} to {now.get(SENT, 0):,}{rest}."

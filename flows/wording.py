"""The words that every surface shares: counts, dates and verdicts as people read them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime

VERDICTS = ("complete", "empty", "not_open", "partial", "failed")
FINAL_VERDICTS = ("complete", "empty")  # nothing is left to be read of such a day
_VERDICT_WORDS = {"not_open": "Not open"}


def counted(count: int, noun: str) -> str:
    """`1 paper`, `1,204 papers`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def thousands(count: int) -> str:
    """`950`, `1.2k`, `79k`."""
    if count < 1_000:
        return str(count)
    return f"{count / 1_000:.1f}k".replace(".0k", "k") if count < 9_950 else f"{count // 1_000}k"


def moment(at: datetime) -> str:
    """`21 Aug 02:31`, in UTC."""
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%b %H:%M}"


def long_date(day: date) -> str:
    """`Thursday 20 August 2026`."""
    return f"{day:%A} {day.day} {day:%B %Y}"


def short_day(day: date) -> str:
    """`Thu 20 Aug`."""
    return f"{day:%a} {day.day} {day:%b}"


def verdict_words(verdict: str) -> str:
    """A verdict as a sentence begins with it: `Complete`, `Not open`."""
    return _VERDICT_WORDS.get(verdict, verdict.capitalize())


def verdict_sentence(verdict: str, reason: str) -> str:
    """A verdict with its reason: `Partial. 12 papers by 12:00 UTC on Thursday; …`."""
    return f"{verdict_words(verdict)}. {reason}"


def verdict_counts(verdicts: Iterable[str]) -> str:
    """How many days have each verdict: `42 complete, 17 empty and 1 failed`."""
    counts = Counter(verdicts)
    parts = [
        f"{counts[verdict]} {verdict_words(verdict).lower()}"
        for verdict in VERDICTS
        if counts[verdict]
    ]
    return enumerated(parts)


def enumerated(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return ", ".join([*parts[:-2], " and ".join(parts[-2:])])


NO_CHECKS = "no checks"


def checks_in_words(verdict: str, passed_count: int, warning_count: int, failure_count: int) -> str:
    """What came of a day's checks: `31 checks passed, 1 failed, 2 warnings`, or `no checks`.

    An empty list has none: what nothing was checked for has not passed.
    """
    if verdict == "empty" or not passed_count + warning_count + failure_count:
        return NO_CHECKS
    parts = [f"{counted(passed_count, 'check')} passed"] if passed_count else []
    if failure_count:
        parts += [
            f"{failure_count} failed" if parts else f"{counted(failure_count, 'check')} failed"
        ]
    parts += [counted(warning_count, "warning")] if warning_count else []
    return ", ".join(parts)


def mail_in_words(counts: Mapping[str, int], *, is_paused: bool = False) -> str:
    """What became of an issue's mail: `412 sent, 2 deferred`, `paused: 20 sent`, `none`."""
    said = ", ".join(f"{count:,} {state}" for state, count in counts.items()) or "none"
    return f"paused: {said}" if is_paused else said

"""Why there was no issue on the days before this one: no silence stays unexplained. No I/O."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby

from flows.sources.feed_day import is_weekend
from flows.wording import enumerated

_REASONS = {
    "empty": "the Hub made no list",
    "complete": "the list was read too late to be mailed",
    "partial": "the list was not whole",
    "failed": "the list could not be read",
    "not_open": "the Hub did not open the list",
}
_NOT_READ = "the list was not read"


def silence(days: Sequence[date], verdicts: Mapping[date, str]) -> str:
    """One sentence on these days without an issue, "" where there is none.

    `No issue on 15 and 16 August: weekend.`
    """
    groups = (
        (reason, list(group))
        for reason, group in groupby(sorted(days), lambda day: why_no_issue(day, verdicts.get(day)))
    )
    parts = [f"on {_dates(group)}: {reason}" for reason, group in groups]
    return f"No issue {'; '.join(parts)}." if parts else ""


def why_no_issue(day: date, verdict: str | None) -> str:
    """In a few words why a day had no issue, given its verdict, None where it has none."""
    return "weekend" if is_weekend(day) else _REASONS.get(verdict or "", _NOT_READ)


def _dates(days: Sequence[date]) -> str:
    """`15 and 16 August`, `31 July and 1 August`, `14, 17 and 18 August`."""
    words = [
        str(day.day) if after and after.month == day.month else f"{day.day} {day:%B}"
        for day, after in zip(days, [*days[1:], None], strict=True)
    ]
    return enumerated(words)

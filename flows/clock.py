"""The one clock of the pipeline, so that a test can set it; and times as people write them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic

_TO_THE_MINUTE = re.compile(r"\d{4}-?\d\d-?\d\d[T ]\d\d:?\d\d(Z|[+-]\d\d:?\d\d)?", re.ASCII)


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def running_from(start: datetime) -> Callable[[], datetime]:
    """A clock that shows `start` now and runs on from there, whoever sets the machine's meanwhile.

    For what takes hours: at one time a second, the last mail of 100,000 leaves a day after the
    first, and the ledger says when.
    """
    began = monotonic()
    return lambda: start + timedelta(seconds=monotonic() - began)


def named_time(words: str, now: datetime) -> datetime:
    """The time (UTC) in these words, ISO 8601, in UTC where it names no zone.

    Written to the minute it is the end of that minute, or `now` while it lasts: every surface shows
    readings to the minute, and what is asked for by what they show must be found.

    Raises:
        ValueError: it is no time, or its UTC has no year.
    """
    time = datetime.fromisoformat(words)
    try:
        time = (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from None
    if not _TO_THE_MINUTE.fullmatch(words):
        return time
    end = time.replace(second=59, microsecond=999_999)
    return now if time <= now < end else end

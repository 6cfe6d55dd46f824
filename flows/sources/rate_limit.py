"""How many requests the Hub still takes: read from its answers, and never exceeded.

RateLimit: "api";r=499;t=293  ->  499 requests are left for 293 seconds
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

import requests

# Seconds: a longer window is no reason to wait, but for the Hub's own 429 and its time.
LONGEST = 301.0
_log = logging.getLogger("flows.waiting")


class Window:
    """The requests that are left of a Hub's window, shared by all threads that ask this Hub.

    The Hub counts a request when it answers, so one that is under way may be counted or not:
    until it ends, it is taken as one that is not. Where nothing is known one request asks alone,
    and the others wait for what its answer says.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._changed = Condition()
        self._under_way = 0
        self._left: int | None = None  # by the newest answer of the window
        self._over_at: float | None = None  # None before the first answer
        self._is_told = False

    @property
    def sentence(self) -> str:
        """What is left, in words; empty where the Hub sets no limit."""
        with self._changed:
            if self._left is None or self._over_at is None:
                return ""
            if self._left > self._under_way:
                return f"{self._left} of the Hub's requests left"
            return f"the Hub takes more in {max(0.0, self._over_at - self._now()):.0f} s"

    @contextmanager
    def request(self) -> Iterator[None]:
        """Make a request in this block, once the Hub takes one more."""
        with self._changed:
            while (seconds := self._wait()) is None or seconds > 0:
                self._tell(seconds)
                self._changed.wait(seconds)
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._over_at = self._over_at or 0.0
                self._changed.notify_all()

    def heard(self, response: requests.Response) -> None:
        """Keep what an answer says of its window."""
        limit = rate_limit(response)
        left, seconds = limit.get("r", ""), limit.get("t", "")
        if not (left.isdecimal() and seconds.isdecimal() and int(seconds) < LONGEST):
            return
        with self._changed:
            # Answers overtake each other, so the least counts; far more is that of a new window.
            known = self._left
            if known is None or not known <= int(left) <= known + self._under_way:
                self._left, self._is_told = int(left), False
            self._over_at = self._now() + int(seconds) + 1
            self._changed.notify_all()

    def _wait(self) -> float | None:
        """Seconds until one more request may be made; None: until another one has been answered."""
        if self._over_at is None:
            return None if self._under_way else 0.0
        if self._left is not None and self._now() >= self._over_at:
            self._left, self._over_at = None, None
            return self._wait()
        if self._left is None or self._left > self._under_way:
            return 0.0
        return self._over_at - self._now()

    def _tell(self, seconds: float | None) -> None:
        if seconds and not self._under_way and not self._is_told:
            self._is_told = True
            _log.warning(
                "The Hub takes no more requests now: the reading goes on in %.0f s.", seconds
            )


def requests_left(response: requests.Response) -> int | None:
    """How many requests the Hub's window has left, where the answer says so."""
    left = rate_limit(response).get("r", "")
    return int(left) if left.isdecimal() else None


def rate_limit(response: requests.Response) -> dict[str, str]:
    """`RateLimit: "api";r=499;t=293` as its parts: r requests left, for t seconds."""
    return dict(
        part.strip().split("=", 1)
        for part in response.headers.get("RateLimit", "").split(";")
        if "=" in part
    )

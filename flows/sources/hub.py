"""The Hub's daily list over HTTP: every page to the end, then a second look to prove it.

    GET /api/daily_papers?date=D&limit=100&p=0,1,…      ->  Answer
    GET /api/daily_papers?sort=trending&limit=100       ->  Answer

An answer is evidence, not a judgement: `flows.sources.verdict` says what it means.
"""

import hashlib
import json
import logging
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from math import ceil, isfinite
from threading import Event, Timer, local
from typing import Any

import requests
from dlt.sources.helpers.requests import Client
from pydantic import SecretStr

from flows import clock
from flows.sources.rate_limit import Window, rate_limit

PAGE_SIZE = 100  # the API's most; it must not change from page to page, since `p` counts in it
MAX_PAGES = 50
# A list that moves while it is read is read again: votes reorder it across page borders.
MAX_PASSES = 3
FIRST_BYTES = 500
RETRIED = (408, 429, *range(500, 600))
_TOLD_FROM = 3  # seconds; a shorter wait is over before its sentence is read
_FOR_EVER = 10**9  # seconds; a wait that is much longer would end after the last date there is
_log = logging.getLogger("flows.waiting")


@dataclass(frozen=True)
class Patience:
    """How long one request may take, and how often and how slowly it is repeated (seconds).

    The Hub may ask for `longest_wait` at once, and for `longest_waits` in all of a reading. An
    answer that comes byte by byte never exceeds `read_timeout`; `longest_answer` ends it.
    """

    attempts: int = 5
    back_off: float = 0.5
    longest_wait: float = 301.0  # the Hub counts requests in windows of 300 s
    longest_waits: float = 900.0
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    longest_answer: float = 120.0


@dataclass(frozen=True)
class Answer:
    """What the Hub answered when asked for one list date, for what trends, or about single papers.

    What is of no list has the UTC date on which it was read for its `list_date`.
    `trouble` is None for a list read to its end; otherwise one clause that says what is wrong.
    `is_list` is False where not even the first page was a list of items.
    """

    list_date: date
    read_at: datetime
    items: tuple[Any, ...] = ()
    status: int | None = None
    is_list: bool = True
    page_count: int = 0
    first_page_agrees: bool | None = None
    trouble: str | None = None
    payload_sha256: str | None = None
    first_bytes: str | None = None

    @property
    def paper_count(self) -> int:
        """How many papers are in it, each once: some recorded lists show one twice."""
        return len({identity(item) for item in self.items})


@dataclass(frozen=True)
class _Page:
    items: list[Any]
    body: bytes
    has_next: bool

    @property
    def ids(self) -> list[str]:
        return [identity(item) for item in self.items]


class NotAListError(ValueError):
    """JSON that is no list of papers."""


class _PageError(Exception):
    """A page that cannot be used: the clause why, with the status and the first bytes seen."""

    def __init__(self, trouble: str, status: int | None = None, body: bytes = b"") -> None:
        super().__init__(trouble)
        self.trouble, self.status = trouble, status
        self.first_bytes = body[:FIRST_BYTES].decode("utf-8", "replace").replace("\0", "\ufffd")


class _ComeBackError(Exception):
    """The Hub asks for a longer wait than our patience: its status, and when it may be over."""

    def __init__(self, status: int, at: datetime) -> None:
        super().__init__(
            f"it answered {status} and asks us to come back at {at:%Y-%m-%d %H:%M} UTC"
        )
        self.status = status


class _TooSlowError(Exception):
    """An answer was cut off for its slowness, so the page is not asked for again."""


class Hub:
    """A Hub at one address. Reads lists; never raises for what the Hub does."""

    def __init__(
        self, url: str, token: SecretStr | None = None, patience: Patience | None = None
    ) -> None:
        patience = patience or Patience()
        self._url = f"{url}/api/daily_papers"
        self._patience = patience
        self._reading = local()  # each thread makes a reading of its own
        self._window = Window()
        self._client = Client(
            request_timeout=(patience.connect_timeout, patience.read_timeout),
            raise_for_status=False,
            status_codes=RETRIED,
            request_max_attempts=patience.attempts,
            request_backoff_factor=patience.back_off,
            request_max_retry_delay=patience.longest_wait,
            session_attrs={
                "headers": requests.structures.CaseInsensitiveDict(request_headers(token)),
                "hooks": {"response": [self._wait_or_give_up, self._limit_answer]},
            },
        )

    @property
    def window(self) -> str:
        """How many requests it still takes, in words; empty where it sets no limit."""
        return self._window.sentence

    def read(self, list_date: date, clock: Callable[[], datetime]) -> Answer:
        """The list of this date, all pages, read again when it moved while it was read."""
        self._reading.waited = 0.0
        answer = self._read_once(list_date, clock())
        for _ in range(1, MAX_PASSES):
            if answer.trouble or answer.first_page_agrees is not False:
                break
            answer = self._read_once(list_date, clock())
        return answer

    def read_trending(self, clock: Callable[[], datetime]) -> Answer:
        """What the Hub calls trending now, in its order: its first page, for its UTC date.

        With `sort=trending` the Hub ignores dates, so none is asked for.
        """
        self._reading.waited = 0.0
        read_at = clock()
        query: Mapping[str, str | int] = {"sort": "trending", "limit": PAGE_SIZE}
        return _answer(read_at.astimezone(UTC).date(), read_at, map(self._page, [query]))[0]

    def _read_once(self, list_date: date, read_at: datetime) -> Answer:
        answer, pages = _answer(list_date, read_at, self._pages(list_date))
        if not pages or answer.trouble:
            return answer
        return replace(answer, first_page_agrees=self._agrees(answer, pages))

    def _pages(self, list_date: date) -> Iterator[_Page]:
        """The pages from first to last, `[]` not among them but as the only one.

        Raises:
            _PageError: a page is no list, repeats an earlier one, or comes after the 50th.
        """
        seen: set[str] = set()
        for number in range(MAX_PAGES):
            page = self._page(_list_query(list_date, number))
            if number and not page.items:
                return
            if number and seen.issuperset(page.ids):
                raise _PageError("it repeats papers of the pages before it")
            yield page
            if not page.items or not page.has_next:
                return
            seen.update(page.ids)
        raise _PageError(f"the list goes on after {MAX_PAGES} pages")

    def _page(self, query: Mapping[str, str | int]) -> _Page:
        self._reading.is_cut, self._reading.timer = Event(), None
        try:
            with self._window.request():
                response = self._client.get(self._url, params=query)
        except _TooSlowError:
            raise _PageError(connection_trouble(requests.Timeout())) from None
        except NO_ANSWER as error:
            raise _PageError(connection_trouble(error)) from None
        except _ComeBackError as error:
            raise _PageError(str(error), error.status) from None
        finally:
            if self._reading.timer:
                self._reading.timer.cancel()
        body = response.content
        if response.status_code != 200:
            raise _PageError(f"it answered {response.status_code}", response.status_code, body)
        try:
            items = _parsed(body)
        except (ValueError, RecursionError):
            raise _PageError("its answer is not JSON", 200, body) from None
        if not _is_list_of_papers(items):
            raise _PageError("its answer is not a list of papers", 200, body)
        return _Page(items, body, has_next="next" in response.links)

    def _wait_or_give_up(self, response: requests.Response, **_: object) -> requests.Response:
        """Let the session wait as long as the Hub asks, if all of it stays within our patience."""
        self._window.heard(response)
        asked = _asked_wait(response) if response.status_code in RETRIED else None
        if asked is None:
            return response
        self._reading.waited += asked
        if asked > self._patience.longest_wait or (
            self._reading.waited > self._patience.longest_waits
        ):
            response.close()
            at = clock.utc_now() + timedelta(seconds=asked)
            raise _ComeBackError(response.status_code, at)
        if asked > _TOLD_FROM:
            _log.warning(
                "The Hub answered %s and asks for patience: the reading goes on in %s s.",
                response.status_code,
                asked,
            )
        response.headers["Retry-After"] = str(asked)
        return response

    def _limit_answer(self, response: requests.Response, **_: object) -> None:
        """Cut off the body of this answer, which is read next, when it takes too long."""
        if self._reading.timer:
            self._reading.timer.cancel()
        if self._reading.is_cut.is_set():
            response.close()
            raise _TooSlowError
        self._reading.timer = Timer(
            self._patience.longest_answer, _cut_off, [response, self._reading.is_cut]
        )
        self._reading.timer.daemon = True
        self._reading.timer.start()

    def _agrees(self, answer: Answer, pages: list[_Page]) -> bool | None:
        """Whether a second look at the first page shows the same papers; None when it failed."""
        ids = [identity(item) for page in pages for item in page.items]
        if len(pages) > 1 and len(set(ids)) < len(ids):
            return False
        try:
            again = self._page(_list_query(answer.list_date, 0))
        except _PageError:
            return None
        return set(again.ids) == set(pages[0].ids)


def _cut_off(response: requests.Response, is_cut: Event) -> None:
    """End the connection under whoever reads this answer; one that was read to its end has none."""
    if (connection := response.raw.connection) and connection.sock:
        is_cut.set()
        connection.sock.shutdown(socket.SHUT_RDWR)


def _list_query(list_date: date, number: int) -> dict[str, str | int]:
    return {"date": list_date.isoformat(), "limit": PAGE_SIZE, "p": number}


def _answer(
    list_date: date, read_at: datetime, unread: Iterator[_Page]
) -> tuple[Answer, list[_Page]]:
    """The answer that these pages make as they are read, and those that were read."""
    pages: list[_Page] = []
    trouble = None
    try:
        for page in unread:
            pages.append(page)  # noqa: PERF402  what was read before a missing page is kept
    except _PageError as error:
        if not pages:
            answer = Answer(
                list_date,
                read_at,
                status=error.status,
                is_list=False,
                trouble=error.trouble,
                first_bytes=error.first_bytes or None,
            )
            return answer, pages
        trouble = f"page {len(pages) + 1} is missing: {error.trouble}"
    answer = Answer(
        list_date,
        read_at,
        items=tuple(item for page in pages for item in page.items),
        status=200,
        page_count=len(pages),
        trouble=trouble,
        payload_sha256=hashlib.sha256(b"".join(page.body for page in pages)).hexdigest(),
    )
    return answer, pages


def recorded(list_date: date, read_at: datetime, body: bytes) -> Answer:
    """A recorded response as an answer of its own time; whether it was the end is not known.

    Raises:
        ValueError: the body is not JSON.
        NotAListError: it is JSON of something else.
    """
    items = _parsed(body)
    if not _is_list_of_papers(items):
        raise NotAListError("it is not a JSON list of papers")
    return Answer(
        list_date,
        read_at.astimezone(UTC),
        items=tuple(items),
        status=200,
        page_count=1,
        payload_sha256=hashlib.sha256(body).hexdigest(),
    )


def _parsed(body: bytes) -> Any:  # noqa: ANN401  whatever JSON it is
    """The body as JSON; NaN, infinities and numbers too large for a float become strings.

    JSON has no such numbers, so neither readers of our API nor the raw layer could take them.
    """
    return json.loads(body, parse_constant=str, parse_float=_finite)


def _finite(written: str) -> float | str:
    number = float(written)
    return number if isfinite(number) else written


def _is_list_of_papers(items: object) -> bool:
    return isinstance(items, list) and (not items or any(isinstance(i, dict) for i in items))


def request_headers(token: SecretStr | None) -> dict[str, str]:
    """Who asks, for what, and with whose token."""
    headers = {
        "User-Agent": f"daily-papers/{version('daily-papers')}",
        "Accept": "application/json",
    }
    if token:
        headers["Authorization"] = f"Bearer {token.get_secret_value()}"
    return headers


def identity(item: object) -> str:
    """What makes two items of a list the same paper: the id, or all there is where none is."""
    paper = item.get("paper") if isinstance(item, dict) else None
    paper_id = paper.get("id") if isinstance(paper, dict) else None
    return paper_id if isinstance(paper_id, str) else json.dumps(item, sort_keys=True)


def _asked_wait(response: requests.Response) -> int | None:
    """How many seconds the Hub asks us to wait; None where it names no time to come.

    It says so as `RateLimit: "api";r=0;t=293`, or as `Retry-After`, in seconds or as a date.
    """
    limit = rate_limit(response)
    if limit.get("r") == "0" and limit.get("t", "").isdecimal():
        return min(int(limit["t"]) + 1, _FOR_EVER)
    asked = response.headers.get("Retry-After", "").strip()
    if asked.isdecimal():
        return min(int(asked), _FOR_EVER) or None
    try:
        seconds = (parsedate_to_datetime(asked) - clock.utc_now()).total_seconds()
    except (ValueError, TypeError):  # it is no date, or a date without a zone
        return None
    return min(ceil(seconds), _FOR_EVER) if seconds > 0 else None


# What a request ends in that gets no answer; of a redirect to `http://[` only Python complains.
NO_ANSWER = (requests.RequestException, ValueError)


def connection_trouble(error: requests.RequestException | ValueError) -> str:
    """What a request met that got no answer: one clause."""
    found = (words for kind, words in _TROUBLES if isinstance(error, kind))
    return next(found, "it sends us to an address that is none")


_TROUBLES: tuple[tuple[type[requests.RequestException], str], ...] = (
    (requests.Timeout, "it did not answer in time"),
    (requests.exceptions.ChunkedEncodingError, "the connection broke in the middle of its answer"),
    (requests.exceptions.ContentDecodingError, "its answer cannot be unpacked"),
    (requests.TooManyRedirects, "it sends us in a circle"),
    (requests.RequestException, "the connection failed"),
)

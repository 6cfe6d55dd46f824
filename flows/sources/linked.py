"""What the Hub says of single papers over HTTP: their models, datasets and Spaces.

    GET /api/papers/ID, for each paper  ->  Answer, an item a paper that was asked about

Nothing waits for this reading, so it never waits long: it stops where the Hub is in trouble or
asks for patience, and leaves most of the Hub's window of requests to the lists.
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import requests
from pydantic import SecretStr

from flows.sources.hub import NO_ANSWER, Answer, connection_trouble, request_headers
from flows.sources.rate_limit import requests_left

_MOST_BYTES = 5_000_000
_CHUNK = 65_536


@dataclass(frozen=True)
class Patience:
    """How long the whole reading may take, and one answer's next bytes (seconds).

    It stops after `troubles` failures in a row, and where the Hub's window has no more than
    `requests_left`. No request is repeated: the paper is asked about again another night.
    """

    longest: float = 180.0
    connect_timeout: float = 5.0
    read_timeout: float = 10.0
    troubles: int = 3
    requests_left: int = 100


@dataclass(frozen=True)
class _Told:
    """What came of one request: a body, or the clause why there is none."""

    status: int | None
    body: bytes = b""
    trouble: str | None = None
    requests_left: int | None = None


class PaperHub:
    """A Hub at one address, asked about single papers; never raises for what the Hub does."""

    def __init__(
        self, url: str, token: SecretStr | None = None, patience: Patience | None = None
    ) -> None:
        self._url = f"{url}/api/papers"
        self._patience = patience or Patience()
        self._headers = request_headers(token)

    def read(self, paper_ids: Sequence[str], clock: Callable[[], datetime]) -> Answer:
        """An item for each paper that was asked about: its id, the status, and the answer.

        The answer belongs to no list: its date is the UTC date of the reading. `trouble` says why
        the rest of the papers was not asked about.
        """
        read_at = clock()
        end = time.monotonic() + self._patience.longest
        items: list[dict[str, Any]] = []
        digest = hashlib.sha256()
        in_a_row, trouble = 0, None
        with requests.Session() as session:
            session.headers.update(self._headers)
            for paper_id in paper_ids:
                told = self._ask(session, paper_id, end)
                digest.update(told.body)
                items.append(_item(paper_id, told))
                in_a_row = in_a_row + 1 if items[-1]["trouble"] else 0
                trouble = self._stops(told, items[-1]["trouble"], in_a_row, end)
                if trouble:
                    break
        return Answer(
            read_at.astimezone(UTC).date(),
            read_at,
            items=tuple(items),
            status=next((i["status"] for i in reversed(items) if i["status"]), None),
            page_count=len(items),
            trouble=trouble if len(items) < len(paper_ids) else None,
            payload_sha256=digest.hexdigest(),
        )

    def _ask(self, session: requests.Session, paper_id: str, end: float) -> _Told:
        limits = (self._patience.connect_timeout, self._patience.read_timeout)
        address = f"{self._url}/{quote(paper_id, safe='')}"
        status = None
        try:
            with session.get(address, timeout=limits, stream=True) as response:
                status = response.status_code
                body = b""
                for chunk in response.iter_content(_CHUNK):
                    body += chunk
                    if len(body) > _MOST_BYTES:
                        return _Told(status, trouble="its answer is too long")
                    if time.monotonic() > end:  # it may come byte by byte
                        return _Told(status, trouble="it did not answer in time")
                return _Told(status, body, requests_left=requests_left(response))
        except NO_ANSWER as error:
            return _Told(status, trouble=connection_trouble(error))

    def _stops(self, told: _Told, trouble: str | None, in_a_row: int, end: float) -> str | None:
        """Why no more is asked for now: one clause."""
        if told.status == requests.codes.too_many_requests:
            return "it answered 429 and asks for patience"
        if in_a_row >= self._patience.troubles:
            return f"{in_a_row} answers in a row failed, the last because {trouble}"
        if told.requests_left is not None and told.requests_left <= self._patience.requests_left:
            return f"its window has only {told.requests_left} requests left"
        if time.monotonic() > end:
            return f"the {self._patience.longest:.0f} seconds that it may take are over"
        return None


def _item(paper_id: str, told: _Told) -> dict[str, Any]:
    """What is kept of one request: whom it was about, and what came, whatever it is.

    A paper that has no page is no trouble of the Hub's.
    """
    trouble, answer = told.trouble, None
    if trouble is None and told.status == requests.codes.ok:
        try:
            answer = json.loads(told.body, parse_constant=_no_number)
        except (ValueError, RecursionError):
            trouble = "its answer is not JSON"
    elif trouble is None and told.status != requests.codes.not_found:
        trouble = f"it answered {told.status}"
    return {"paper_id": paper_id, "status": told.status, "answer": answer, "trouble": trouble}


def _no_number(name: str) -> None:
    """NaN and Infinity, which Python reads and no database does."""
    raise ValueError(f"{name} is not JSON")

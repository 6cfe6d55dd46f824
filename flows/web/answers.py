"""Answers that everybody gets alike, kept for as long as any browser may keep them.

A list of 43 papers takes 35 ms to make and a month 0.4 s; most requests are for what is newest.
"""

import re
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from flows.publication.kept_open import Publication, now_published

_MOST_BYTES = 64_000_000
_MAY_BE_KEPT = re.compile(r"public, max-age=(\d+)")
_LONGEST_SECONDS = 60


@dataclass(frozen=True)
class _Answer:
    body: bytes
    headers: dict[str, str]
    until: float


@dataclass
class Answers:
    """What was answered from one publication; another one forgets it all.

    Used by the event loop alone, so that nothing of it needs a lock.
    """

    published: Path
    _kept: OrderedDict[str, _Answer] = field(default_factory=OrderedDict)
    _publication: Publication | None = None
    _bytes: int = 0

    def find(self, request: Request) -> Response | None:
        """The answer that this address had a moment ago; 304 for who has it already."""
        if now_published(self.published) != self._publication:
            return None
        found = self._kept.get(_address(request))
        if found is None or found.until < time.monotonic():
            return None
        if found.headers["etag"] in request.headers.get("if-none-match", ""):
            headers = {k: v for k, v in found.headers.items() if not k.startswith("content-")}
            return Response(status_code=304, headers=headers)
        return Response(found.body, headers=found.headers)

    def keep(self, request: Request, answer: Response, publication: Publication | None) -> None:
        """Keep the answer, where it is for everybody; `publication` is what was there before it."""
        may = _MAY_BE_KEPT.match(answer.headers.get("cache-control", ""))
        if answer.status_code != 200 or may is None or "etag" not in answer.headers:
            return
        if publication != self._publication:
            self._kept.clear()
            self._publication, self._bytes = publication, 0
        seconds = min(int(may[1]), _LONGEST_SECONDS)
        self._forget(_address(request))
        kept = _Answer(bytes(answer.body), dict(answer.headers), time.monotonic() + seconds)
        self._kept[_address(request)] = kept
        self._bytes += len(kept.body)
        while self._bytes > _MOST_BYTES:
            self._forget(next(iter(self._kept)))

    def _forget(self, address: str) -> None:
        if found := self._kept.pop(address, None):
            self._bytes -= len(found.body)


def _address(request: Request) -> str:
    return f"{request.url.path}?{request.url.query}"

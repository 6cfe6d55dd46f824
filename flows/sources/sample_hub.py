"""The sample Hub: a real HTTP server on this machine that behaves as the Hub's daily papers do.

    GET /api/daily_papers?date=&sort=&limit=&p=  ->  sample days, or a folder of recordings
    GET /api/papers/ID                           ->  one of their papers, and what grew out of it

A clock opens the days and lets the lists grow; faults (`sample/faults.py`) are served on demand.

    with SampleHub(now=datetime(2026, 8, 14, 2, 31, tzinfo=UTC)) as hub:
        requests.get(f"{hub.url}/api/daily_papers", params={"date": "2026-08-13"})

On its own: python -m flows.sources.sample_hub --now 2026-08-14T02:31Z --fault 503,times=2
"""

import argparse
import socket
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from flows.sources.hub_grammar import (
    NO_PAGE,
    BadRequestError,
    asked_date,
    asked_limit,
    asked_page,
    asked_sort,
    newest_open,
    open_date,
)
from flows.sources.hub_item import canonical_id
from flows.sources.sample import days as sample_days
from flows.sources.sample.api import (
    Page,
    Query,
    Request,
    SampleResponse,
    json_answer,
)
from flows.sources.sample.days import Item
from flows.sources.sample.faults import FAULTS, Fault, as_fault, too_many_requests
from flows.sources.sample.linked import linked_answer
from flows.sources.sample.recordings import recorded_at

PATH = "/api/daily_papers"
PAPER_PATH = "/api/papers/"
PAPERS_FOR = timedelta(days=60)  # a single paper is looked for on the lists of this time
QUOTA = 500  # requests a window, as an anonymous caller has
WINDOW_SECONDS = 300
TRENDING_DAYS = 14
_DRIP_SECONDS = 0.05
_HANG_SECONDS = 60.0


class SampleHub:
    """The server, from entering the `with` (or `start`) to leaving it (or `close`).

    `now` is the Hub's clock (None: the real one) and may be set at any time. `size` fixes the size
    of every sample day, `sizes` that of single dates, 0 for a date without a list. With `folder`
    (`<list date>/<read time>.json.gz`) each date's newest recording at `now` is served instead.
    `quota`, if given, is how many requests a five-minute window has before 429; without it the
    headers count, but nobody is refused. `requests` holds every request, oldest first.
    """

    def __init__(
        self,
        *,
        now: datetime | None = None,
        folder: Path | None = None,
        faults: Iterable[Fault | str] = (),
        size: int | None = None,
        sizes: Mapping[date, int] | None = None,
        quota: int | None = None,
        port: int = 0,
    ) -> None:
        if folder is not None and not folder.is_dir():
            raise ValueError(f"there is no folder of recordings at {folder}")
        self.now = now
        self._folder = folder
        self._size = size
        self._sizes = dict(sizes or {})
        self._quota = quota
        self._port = port
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._reads: Counter[date | None] = Counter()
        self._window = (monotonic(), 0)  # when it began, and the requests in it
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self.fail(*faults)

    @property
    def now(self) -> datetime:
        """The Hub's clock, in UTC."""
        return self._now or datetime.now(UTC)

    @now.setter
    def now(self, now: datetime | None) -> None:
        if now is not None and now.tzinfo is None:
            raise ValueError(f"the Hub's clock needs a time zone: {now}")
        self._now = now

    @cached_property
    def _server(self) -> "_Server":
        return _Server(self, self._port)

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> Self:
        """Begin to answer."""
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def close(self) -> None:
        """Stop, and drop every connection, answered or not."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def fail(self, *faults: Fault | str) -> None:
        """Serve these faults too, each as long as it says (`Fault`, `as_fault`)."""
        with self._lock:
            self._faults += [as_fault(fault) for fault in faults]

    def heal(self) -> None:
        """Serve no faults any more."""
        with self._lock:
            self._faults.clear()

    def newest_open(self) -> date:
        """The newest list date that is open at `now`: the one that the API's 400 names."""
        return newest_open(self.now)

    def items(self, list_date: date) -> list[Item]:
        """The whole list of this date as it stands at `now`, without faults."""
        if self._folder is not None:
            return recorded_at(self._folder, list_date, self.now)
        size = self._sizes.get(list_date)
        if size is None and sample_days.size_of(list_date):
            size = self._size
        return sample_days.items_at(list_date, self.now, size)

    def answer(self, request: Request) -> SampleResponse:
        """What this request gets; counts it, and uses up the faults that it meets."""
        with self._lock:
            self.requests.append(request)
            headers, wait = self._meter()
        if wait is not None:
            return too_many_requests(wait).answer(json_answer({}, headers))
        if request.path.startswith(PAPER_PATH):
            return self._paper(request.path.removeprefix(PAPER_PATH), headers)
        if request.path != PATH:
            return json_answer({"error": NO_PAGE}, headers, HTTPStatus.NOT_FOUND)
        faults: list[Fault] = []
        try:
            query = self._understood(request.query)
            faults = self._met(query)
            answer = self._page(query, faults, headers)
        except BadRequestError as problem:
            answer = json_answer({"error": str(problem)}, headers, HTTPStatus.BAD_REQUEST)
        for fault in faults:
            answer = fault.answer(answer)
        return answer

    def _paper(self, paper_id: str, headers: Mapping[str, str]) -> SampleResponse:
        """What the Hub says of a single paper; 404 where no list of the last weeks has it."""
        item = self._listed(canonical_id(paper_id))
        if item:
            answer = json_answer(linked_answer(item, self.now), headers)
        else:
            answer = json_answer({"error": NO_PAGE}, headers, HTTPStatus.NOT_FOUND)
        for fault in self._met(None):
            answer = fault.answer(answer)
        return answer

    def _listed(self, paper_id: str) -> Item | None:
        newest = self.newest_open()
        for age in range(PAPERS_FOR.days):
            day = newest - timedelta(days=age)
            if self._folder is None and not sample_days.may_list(day, paper_id):
                continue
            for item in self.items(day):
                if item["paper"]["id"] == paper_id:
                    return item
        return None

    def _page(
        self, asked: Query, faults: Sequence[Fault], headers: Mapping[str, str]
    ) -> SampleResponse:
        query = asked
        for fault in faults:
            query = fault.ask(query)
        items = self._list(query)
        for fault in faults:
            items = fault.change(items)
        turned = query.turned_by % len(items) if items else 0
        items = items[len(items) - turned :] + items[: len(items) - turned]
        end = (query.page + 1) * query.limit
        page = Page(
            items[end - query.limit : end],
            asked.page,
            query.page + 1 if end < len(items) else None,
        )
        for fault in faults:
            page = fault.turn(page)
        if page.next_page is not None:
            of = {"date": str(asked.list_date)} if asked.list_date else {}
            if asked.is_trending:
                of = {"sort": "trending"}
            following = urlencode({**of, "limit": asked.limit, "p": page.next_page})
            link = f'<{self.url}{PATH}?{following}>; rel="next"'
            headers = {**headers, "Link": link}
        return json_answer(page.items, headers)

    def _list(self, query: Query) -> list[Item]:
        if query.is_trending:
            return self._trending(query.newest)
        if query.list_date is None:
            # Asked for no date, the Hub runs back over the days, newest first.
            days = [query.newest - timedelta(days=back) for back in range(8)]
            return [item for day in days for item in self.items(day)]
        return self.items(open_date(query.list_date, self.now))

    def _trending(self, newest: date) -> list[Item]:
        """Papers of the last two weeks, most votes a day first; the real Hub's order is secret."""
        votes_a_day: dict[str, tuple[float, Item]] = {}
        for age in reversed(range(TRENDING_DAYS)):
            for item in self.items(newest - timedelta(days=age)):
                paper = item["paper"]
                votes_a_day[paper["id"]] = (paper["upvotes"] / (age + 1), item)
        ordered = sorted(votes_a_day.items(), key=lambda known: (-known[1][0], known[0]))
        return [item for _, (_, item) in ordered]

    def _understood(self, parameters: Mapping[str, str]) -> Query:
        for name in parameters:
            if name not in ("date", "sort", "limit", "p"):
                raise BadRequestError("The sample Hub knows date, sort, limit and p only", name)
        sort = asked_sort(parameters.get("sort"))
        limit, page = asked_limit(parameters.get("limit")), asked_page(parameters.get("p"))
        list_date = asked_date(parameters["date"]) if "date" in parameters else None
        if sort == "trending":  # the Hub looks at the date, and then ignores it
            return Query(None, limit, page, self.newest_open(), 0, is_trending=True)
        with self._lock:
            reads = self._reads[list_date]
            self._reads[list_date] += 1
        return Query(list_date, limit, page, self.newest_open(), reads)

    def _met(self, query: Query | None) -> list[Fault]:
        """The faults that this query, or a request for a paper, meets; each counted."""
        with self._lock:
            met = [fault for fault in self._faults if fault.meets(query)]
            self._faults = [fault.served() if fault in met else fault for fault in self._faults]
            return met

    def _meter(self) -> tuple[dict[str, str], int | None]:
        """The headers of one more request, and the seconds to wait if it is one too many."""
        began, used = self._window
        if monotonic() - began >= WINDOW_SECONDS:
            began, used = monotonic(), 0
        self._window = (began, used + 1)
        quota = self._quota or QUOTA
        left = max(quota - used - 1, 0 if self._quota else 1)
        wait = int(began + WINDOW_SECONDS - monotonic()) + 1
        headers = {
            "RateLimit": f'"api";r={left};t={wait}',
            "RateLimit-Policy": f'"fixed window";"api";q={quota};w={WINDOW_SECONDS}',
        }
        return headers, wait if self._quota is not None and used >= self._quota else None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A backfill opens eight connections at once; for the sixth the usual queue of five has no room,
    # and it waits for seconds, or minutes.
    request_queue_size = 64

    def __init__(self, hub: SampleHub, port: int) -> None:
        self.hub = hub
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self.connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - as the base class has it
        self.connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        # A kept-alive connection would otherwise go on being answered by a Hub that is closed.
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        # A client may go away; any other error is a bug and is shown.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # each kept-alive answer would wait 40 ms for an acknowledgement
    server: _Server

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        request = Request(
            address.path,
            dict(parse_qsl(address.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
        )
        answer = self.server.hub.answer(request)
        if answer.is_hanging:
            self.server.hub.closing.wait(_HANG_SECONDS)
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        body = answer.body[: answer.sent_bytes]
        length = 1 if answer.is_dripping else max(len(body), 1)
        for start in range(0, len(body), length):
            self.wfile.write(body[start : start + length])
            self.server.hub.closing.wait(_DRIP_SECONDS if answer.is_dripping else 0)
        if answer.sent_bytes is not None:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Keep quiet; `SampleHub.requests` is the log."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.sources.sample_hub",
        description="A Hub on this machine: sample days, or a folder of recorded responses.",
        epilog=f"Faults: {', '.join(FAULTS)}.",
    )
    add = parser.add_argument
    add("--folder", type=Path, help="serve recordings, <list date>/<read time>.json.gz")
    add("--port", type=int, default=8800, help="on 127.0.0.1; 0 takes a free one (default 8800)")
    add("--now", type=_moment, metavar="TIME", help="stop the clock, as at 2026-08-14T02:31Z")
    add("--size", type=int, help="papers of every sample day that is not a weekend")
    add("--quota", type=int, help="requests in five minutes before 429 (default: no limit)")
    add(
        "--fault",
        dest="faults",
        action="append",
        default=[],
        metavar="NAME[,times=N][,page=N][,date=D][,of=papers]",
        help="what goes wrong; may be given more than once",
    )
    try:
        hub = SampleHub(**vars(parser.parse_args(arguments)))
        place = hub.url
    except (OSError, OverflowError, ValueError) as problem:
        parser.error(str(problem))
    with hub:
        sys.stdout.write(f"The sample Hub is at {place}; its newest list: {hub.newest_open()}\n")
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            hub.closing.wait()


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"a time such as 2026-08-14T02:31Z, not {text!r}"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


if __name__ == "__main__":
    main()

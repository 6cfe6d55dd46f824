"""How long the pages and the API take at fifty requests a second, and what memory they hold.

    PYTHONPATH=. python tests/benchmarks/bench_pages.py [HOME [days [requests a second]]]

HOME is made if it is not there: sample days up to 13 August 2026 (600 if not said), each read once
and published; or make_million.py has made it. Where none is said, it is removed afterwards.
`papers web` serves it in a process of its own. Each kind of address is asked for alone, one request
after the other, each time another address; then all in turn, so many times a second in all, from
eight connections.
"""

import itertools
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median, quantiles
from urllib.parse import quote

import duckdb
import requests

from flows.settings import Settings
from flows.sources.sample.days import items_at
from tests.benchmarks.figures import Figure, tell
from tests.support.dbt_build import Warehouse
from tests.support.publishing import publish_built

LAST = date(2026, 8, 13)
RATE, SECONDS, PORT = 50, 100, 8097
CONNECTIONS, ALONE = 8, 8
_SOME = "using sample reservoir(2000 rows) repeatable (7)"


def main(home: Path, day_count: int, rate: int) -> None:
    """Measure both, each kind alone and all at once."""
    if not (home / "published").exists():
        _make(home, day_count)
    places = _places(home)
    environment = os.environ | {
        "PAPERS_HOME": str(home),
        "PAPERS_PUBLIC_URL": f"http://127.0.0.1:{PORT}",
    }
    command = [str(Path(sys.executable).with_name("papers")), "web", "--port", str(PORT)]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait()
        alone = {kind: _alone(paths) for kind, paths in places.items()}
        memory = [_memory(server.pid)]
        seconds, errors = _ask(places, rate, lambda: memory.append(_memory(server.pid)))
        _show(rate, alone, seconds, errors, [*memory, _memory(server.pid)])
    finally:
        server.terminate()
        server.wait(30)


def _make(home: Path, day_count: int) -> None:
    home.mkdir(parents=True, exist_ok=True)
    warehouse = Warehouse(home, home / "warehouse.duckdb")
    for back in range(day_count):
        day = LAST - timedelta(days=back)
        at = datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)
        items = items_at(day, at + timedelta(hours=3))
        verdict = "complete" if items else "empty"
        warehouse.read(f"{at + timedelta(hours=3):%F %H:%M}", items, day=str(day), verdict=verdict)
    publish_built(warehouse, Settings(home=home, embedding_model="none"))


def _places(home: Path) -> dict[str, list[str]]:
    """Addresses of each kind, drawn at random, the same each time."""
    random = Random(7)  # noqa: S311  the same addresses every time

    def drawn(query: str, shape: str) -> list[str]:
        rows = [row[0] for row in connection.execute(query).fetchall()]
        return [shape.format(quote(str(random.choice(rows)))) for _ in range(500)]

    with duckdb.connect(str(home / "published" / "papers.duckdb"), read_only=True) as connection:
        dates = "select digest_date from marts.daily_digests where listed_count > 0 order by 1"
        papers = f"select paper_id from marts.papers {_SOME}"
        words = "select word from search.words where paper_count between 20 and 400 order by 1"
        texts = f"select regexp_extract(title, '^\\S+ \\S+ \\S+') from marts.papers {_SOME}"
        weeks = "select strftime(digest_date, '%G-W%V') from marts.weekly_digests order by 1"
        months = "select strftime(digest_date, '%Y-%m') from marts.monthly_digests order by 1"
        handles = "select organization_handle from marts.organizations order by 1"
        authors = f"select author_name from marts.paper_authors {_SOME}"
        keywords = f"select unnest(ai_keywords) from marts.papers {_SOME}"
        users = "select submitted_by from marts.submitters order by 1"
        return {
            "front page": ["/"],
            "list": drawn(dates, "/papers/date/{}"),
            "week": drawn(weeks, "/papers/week/{}"),
            "month": drawn(months, "/papers/month/{}"),
            "trending": ["/papers/trending"],
            "paper": drawn(papers, "/papers/{}"),
            "organization": drawn(handles, "/organizations/{}"),
            "author": drawn(authors, "/authors/{}"),
            "keyword": drawn(keywords, "/keywords/{}"),
            "submitter": drawn(users, "/submitters/{}"),
            "search, a word": drawn(words, "/papers/search?q={}"),
            "search, meaning": drawn(texts, "/papers/search?q={}"),
            "feed of a list": drawn(dates, "/papers/date/{}.atom"),
            "JSON of a list": drawn(dates, "/papers/date/{}.json"),
            "BibTeX of a paper": drawn(papers, "/papers/{}.bib"),
            "API, list": drawn(dates, "/api/daily_papers?date={}&limit=100"),
            "API, newest": ["/api/daily_papers"],
            "API, paper": drawn(papers, "/api/papers/{}"),
            "API, search": drawn(words, "/api/papers/search?q={}&limit=20"),
            "insights": ["/insights"],
            "sitemap": ["/sitemap.xml"],
            "sitemap, a month": drawn(months, "/sitemap/{}.xml"),
        }


def _alone(paths: list[str]) -> float:
    """The median of a few requests of a kind, with nothing beside them; the first is not one."""
    seconds = []
    for path in paths[-1 - ALONE :]:
        began = time.perf_counter()
        requests.get(f"http://127.0.0.1:{PORT}{path}", timeout=120).raise_for_status()
        seconds.append(time.perf_counter() - began)
    return median(seconds[1:] or seconds)


def _ask(
    places: dict[str, list[str]], rate: int, after_a_fifth: Callable[[], object]
) -> tuple[dict[str, list[float]], int]:
    seconds: dict[str, list[float]] = defaultdict(list)
    errors = itertools.count()
    local = threading.local()

    def one(kind: str, path: str) -> None:
        session = getattr(local, "session", None) or requests.Session()
        local.session = session
        began = time.perf_counter()
        answer = session.get(f"http://127.0.0.1:{PORT}{path}", timeout=60)
        seconds[kind].append(time.perf_counter() - began)
        if answer.status_code != 200:
            next(errors)

    turns = {kind: itertools.cycle(paths) for kind, paths in places.items()}
    kinds = itertools.cycle(places)
    start = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for number in range(rate * SECONDS):
            time.sleep(max(0, start + number / rate - time.perf_counter()))
            kind = next(kinds)
            if number == rate * SECONDS // 5:
                after_a_fifth()
            pool.submit(one, kind, next(turns[kind]))
    return seconds, next(errors)


def _show(
    rate: int,
    alone: dict[str, float],
    seconds: dict[str, list[float]],
    errors: int,
    memory: list[float],
) -> None:
    for kind, each in seconds.items():
        once = (1000 * alone[kind],)
        worst = (1000 * quantiles(each, n=20)[-1],)
        tell(Figure(f"{kind}, median at {rate}/s", "ms", (1000 * median(each),), once, "alone"))
        tell(Figure(f"{kind}, 95 % at {rate}/s", "ms", worst, once, "alone"))
    tell(Figure(f"errors in {rate * SECONDS:,} requests", "", (errors,), most=0))
    before, after_a_fifth, after = memory
    tell(Figure("memory of the pages, begun", "MB", (before,)))
    name = f"memory of the pages, after {rate * SECONDS:,} requests"
    tell(Figure(name, "MB", (after,), (after_a_fifth,), "after a fifth of them"))


def _wait() -> None:
    for _ in range(300):
        try:
            requests.get(f"http://127.0.0.1:{PORT}/healthz", timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return


def _memory(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        home = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(made)
        days = int(sys.argv[2]) if len(sys.argv) > 2 else 600
        main(home, days, int(sys.argv[3]) if len(sys.argv) > 3 else RATE)

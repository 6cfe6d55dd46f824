"""How long the pages and the API take at fifty requests a second, and what memory they hold.

    python tests/benchmarks/bench_pages.py HOME [days]

HOME is made if it is not there: sample days up to 13 August 2026 (600 if not said), each read once
and published. `papers web` serves it in a process of its own; each kind of address is asked for in
turn, so many times a second in all, from eight connections.
"""

import itertools
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median, quantiles

import duckdb
import requests
from rich.console import Console
from rich.table import Table

from flows.settings import Settings
from flows.sources.sample.days import items_at
from tests.support.dbt_build import Warehouse
from tests.support.publishing import publish_built

LAST = date(2026, 8, 13)
RATE, SECONDS, PORT = 50, 60, 8097
CONNECTIONS = 8


def main(home: Path, day_count: int) -> None:
    """Print the table."""
    if not (home / "published").exists():
        _make(home, day_count)
    places = _places(home)
    environment = os.environ | {
        "PAPERS_HOME": str(home),
        "PAPERS_PUBLIC_URL": f"http://127.0.0.1:{PORT}",
        "PAPERS_MODEL": "none",
    }
    command = [str(Path(sys.executable).with_name("papers")), "web", "--port", str(PORT)]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait()
        before = _memory(server.pid)
        seconds, errors = _ask(places)
        _show(seconds, errors, before, _memory(server.pid))
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
    publish_built(warehouse, Settings(home=home, model="none"))


def _places(home: Path) -> dict[str, list[str]]:
    """Addresses of each kind, drawn at random, the same each time."""
    random = Random(7)  # noqa: S311  the same addresses every time

    def drawn(query: str, shape: str) -> list[str]:
        rows = [row[0] for row in connection.execute(query).fetchall()]
        return [shape.format(random.choice(rows)) for _ in range(500)]

    with duckdb.connect(str(home / "published" / "papers.duckdb"), read_only=True) as connection:
        dates = "select digest_date from marts.daily_digests where listed_count > 0 order by 1"
        papers = "select paper_id from marts.papers order by 1"
        words = "select word from search.words where paper_count between 20 and 400 order by 1"
        weeks = "select strftime(digest_date, '%G-W%V') from marts.weekly_digests order by 1"
        months = "select strftime(digest_date, '%Y-%m') from marts.monthly_digests order by 1"
        handles = "select organization_handle from marts.organizations order by 1"
        return {
            "front page": ["/"],
            "list": drawn(dates, "/papers/date/{}"),
            "week": drawn(weeks, "/papers/week/{}"),
            "month": drawn(months, "/papers/month/{}"),
            "trending": ["/papers/trending"],
            "paper": drawn(papers, "/papers/{}"),
            "organization": drawn(handles, "/organizations/{}"),
            "search": drawn(words, "/papers/search?q={}"),
            "feed of a list": drawn(dates, "/papers/date/{}.atom"),
            "API, list": drawn(dates, "/api/daily_papers?date={}&limit=100"),
            "API, newest": ["/api/daily_papers"],
            "API, paper": drawn(papers, "/api/papers/{}"),
            "API, search": drawn(words, "/api/papers/search?q={}&limit=20"),
        }


def _ask(places: dict[str, list[str]]) -> tuple[dict[str, list[float]], int]:
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
        for number in range(RATE * SECONDS):
            time.sleep(max(0, start + number / RATE - time.perf_counter()))
            kind = next(kinds)
            pool.submit(one, kind, next(turns[kind]))
    return seconds, next(errors)


def _show(seconds: dict[str, list[float]], errors: int, before: float, after: float) -> None:
    table = Table("", "asked", "median", "95 %")
    for kind, each in seconds.items():
        worst = quantiles(each, n=20)[-1]
        table.add_row(
            kind, str(len(each)), f"{1000 * median(each):.0f} ms", f"{1000 * worst:.0f} ms"
        )
    Console().print(table)
    print(f"{errors} errors; memory {before:.0f} MB before, {after:.0f} MB after")  # noqa: T201


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
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 600)

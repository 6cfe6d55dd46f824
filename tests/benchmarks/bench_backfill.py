"""How long a backfill takes beside a bare loop that only reads the same days and inserts them.

    PYTHONPATH=. python tests/benchmarks/bench_backfill.py [rounds]

A server of its own process answers with days that were made up before: 816 dates, 582 of them with
a list, 12,804 papers. The bare loop is eight threads, one request a date, and one insert. Both, and
an empty flow, which is what starting costs, take turns. Vectors are left out: they cost 20 ms each.
"""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from textwrap import indent
from urllib.parse import parse_qs, urlsplit

import duckdb
import pyarrow as pa
import requests
from rich.console import Console

from flows.sources.sample_hub import SampleHub
from tests.benchmarks.bench_day import EMPTY
from tests.benchmarks.figures import Figure, tell

GOAL, GOAL_MB = 3, 1024
FIRST, LAST, SIZE = date(2024, 5, 27), date(2026, 8, 20), 22
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
THREADS = 8
# Processor seconds and the most memory of the command alone, not of Prefect's server beside it.
MEASURED = """
import resource, sys
try:
{code}
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_utime + used.ru_stime, used.ru_maxrss // 1024)
"""
BACKFILL = "from flows.commands.cli import main; main()"


@dataclass(frozen=True)
class Took:
    """Seconds on the clock and of the processor, the most memory (MB), and what was printed."""

    seconds: float
    processor: float
    memory: int = 0
    said: tuple[str, ...] = ()

    def without(self, start: "Took") -> "Took":
        """The same but for what starting takes."""
        seconds, processor = self.seconds - start.seconds, self.processor - start.processor
        return replace(self, seconds=seconds, processor=processor)


def main(rounds: int) -> None:
    """Measure all three, in turn."""
    console = Console()
    receiver, sender = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(sender,), daemon=True)
    server.start()
    url = receiver.recv()
    bare, ours = list[Took](), list[Took]()
    for _ in range(rounds):
        bare.append(bare_loop(url))
        with tempfile.TemporaryDirectory() as home:
            empty = _run(EMPTY, (), home, url)
            whole = _run(BACKFILL, ("backfill", str(FIRST), str(LAST)), home, url)
        console.print(*whole.said, sep="\n", markup=False, highlight=False)
        ours.append(whole.without(empty))
    for name, of in (("a backfill beyond its start", "seconds"), ("of it, processor", "processor")):
        one, other = (tuple(getattr(took, of) for took in each) for each in (ours, bare))
        tell(Figure(name, "s", one, other, "bare loop", GOAL))
    memory = tuple(float(took.memory) for took in ours)
    tell(Figure("most memory of a backfill", "MB", memory, most=GOAL_MB))


def bare_loop(url: str) -> Took:
    """Read every date and insert its items, with nothing asked of them."""
    began, processor = time.perf_counter(), time.process_time()
    session = requests.Session()

    def read(day: date) -> list[dict[str, object]]:
        asked = {"date": str(day), "limit": "100"}
        items = session.get(f"{url}/api/daily_papers", params=asked, timeout=30).json()
        return [
            {"list_date": day, "paper_id": each["paper"]["id"], "item": json.dumps(each)}
            for each in items
        ]

    with ThreadPoolExecutor(THREADS) as pool:
        rows = [row for rows in pool.map(read, DAYS) for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        connection = duckdb.connect(f"{folder}/papers.duckdb")
        connection.register("rows", pa.Table.from_pylist(rows))
        connection.execute("create table papers as from rows")
        connection.close()
    return Took(time.perf_counter() - began, time.process_time() - processor)


def serve(ready: Connection) -> None:
    """Answer with the list of a date, or `[]`; every list fits on one page."""
    now = datetime.combine(LAST + timedelta(days=1), datetime.min.time(), UTC)
    hub = SampleHub(now=now.replace(hour=2, minute=31), size=SIZE)
    bodies = {str(day): json.dumps(hub.items(day)).encode() for day in DAYS}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            (day,) = parse_qs(urlsplit(self.path).query)["date"]
            body = bodies[day]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 64  # with the usual five, eight readers at once may wait for minutes

    server = Server(("127.0.0.1", 0), Handler)
    ready.send(f"http://127.0.0.1:{server.server_port}")
    server.serve_forever()


def _run(code: str, arguments: Sequence[str], home: str, url: str) -> Took:
    """Run a Python process with this code."""
    environment: Mapping[str, str] = os.environ | {
        "PAPERS_HOME": home,
        "PAPERS_HUB_URL": url,
        "PAPERS_EMBEDDING_MODEL": "none",
        "PREFECT_HOME": f"{home}/prefect",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "COLUMNS": "300",
    }
    Path(environment["PREFECT_HOME"]).mkdir(exist_ok=True)
    command = [sys.executable, "-c", MEASURED.format(code=indent(code, "    ")), *arguments]
    began = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    *said, used = done.stdout.splitlines()
    processor, memory = used.split()
    return Took(seconds, float(processor), int(memory), tuple(said))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)

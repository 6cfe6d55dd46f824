"""How long a day takes in a process that has run one, on a long history: what a served day costs.

    PYTHONPATH=. python tests/benchmarks/bench_warm_day.py [days]

A home gets the history of `bench_backfill` but its last month, 12,300 made-up papers. Then one
process does `papers run` day after day, each from its reading to its issue. The first of these days
is left out: imports are in it.
"""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import timedelta

from rich.console import Console

from tests.benchmarks.bench_backfill import BACKFILL, FIRST, LAST, _run, serve
from tests.benchmarks.figures import Figure, tell

GOAL_SECONDS = 3
DAYS = """
import json, sys, time
from flows.commands.cli import answer

taken = []
for day in sys.argv[1:]:
    began = time.perf_counter()
    assert answer(["run", day]) == 0, day
    taken.append(time.perf_counter() - began)
print(json.dumps(taken))
"""


def main(count: int) -> None:
    """Bring the history, then measure."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(sender,), daemon=True)
    server.start()
    url = receiver.recv()
    with tempfile.TemporaryDirectory() as home:
        _run(BACKFILL, ("backfill", str(FIRST), str(LAST - timedelta(days=30))), home, url)
        taken = _days(_weekdays(count + 1), home, url)
    tell(Figure("a day, warm", "s", tuple(taken[1:]), most=GOAL_SECONDS))


def _weekdays(count: int) -> list[str]:
    """The first weekdays of the last month that the server has."""
    days = [LAST - timedelta(days=back) for back in range(29)]
    return [str(day) for day in reversed(days) if day.weekday() < 5][:count]


def _days(days: Sequence[str], home: str, url: str) -> list[float]:
    environment = os.environ | {
        "PAPERS_HOME": home,
        "PAPERS_HUB_URL": url,
        "PAPERS_EMBEDDING_MODEL": "none",
        "PREFECT_HOME": f"{home}/prefect",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    }
    command = [sys.executable, "-c", DAYS, *days]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    *said, taken = done.stdout.splitlines()
    Console().print(*said, sep="\n", markup=False, highlight=False)
    return [float(seconds) for seconds in json.loads(taken)]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)

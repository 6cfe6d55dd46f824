"""How long a day takes, against importing the same libraries and running an empty Prefect flow.

    PYTHONPATH=. python tests/benchmarks/bench_day.py [rounds]

Each is a process of its own, in turn, so that a machine whose speed drifts slows both. The day is a
second run in a home that has been used (warm), from a sample Hub on this machine.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import track

from flows.sources.feed_day import newest_closed
from flows.sources.sample_hub import SampleHub
from tests.benchmarks.figures import Figure, tell

GOAL = 1.15
EMPTY = """
import flows, dlt, duckdb, pandas, great_expectations, dbt.cli.main
from prefect import flow

@flow
def empty() -> None: ...

empty()
"""


def main(rounds: int) -> None:
    """Measure both, in turn."""
    console = Console()
    with tempfile.TemporaryDirectory() as home, SampleHub() as hub:
        environment = os.environ | {
            "PAPERS_HOME": home,
            "PAPERS_HUB_URL": hub.url,
            "PREFECT_HOME": f"{home}/prefect",
            "PREFECT_LOGGING_LEVEL": "ERROR",
            "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        }
        Path(environment["PREFECT_HOME"]).mkdir()
        papers = str(Path(sys.executable).with_name("papers"))
        day = [papers, "run", str(newest_closed(hub.now))]
        empty = [sys.executable, "-c", EMPTY]
        _seconds(day, environment)
        _seconds(empty, environment)
        days, empties = [], []
        for _ in track(range(rounds), "a day and an empty flow, in turn", console=console):
            days.append(_seconds(day, environment))
            empties.append(_seconds(empty, environment))
    tell(Figure("a day, cold", "s", tuple(days), tuple(empties), "imports, empty flow", GOAL))


def _seconds(command: list[str], environment: Mapping[str, str]) -> float:
    began = time.monotonic()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.monotonic() - began


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)

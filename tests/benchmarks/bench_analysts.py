"""How long an analyst waits while a run writes, against the same questions on an idle machine.

    PYTHONPATH=. python tests/benchmarks/bench_analysts.py [rounds]

The questions are those of dbt_project/analyses/, over the published file of 120 sample days. A
round asks all of them with nothing beside, and again while `papers run` reads, builds and publishes
one day after the other in the same home. Both take turns. On two cores the run has one of them.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb

from flows.publication.examples import examples
from flows.settings import Settings
from flows.sources.feed_day import newest_closed
from flows.sources.sample_hub import SampleHub
from tests.benchmarks.figures import Figure, tell

PAPERS = str(Path(sys.executable).with_name("papers"))
DAYS, GOAL = 120, 1.2


def main(rounds: int) -> None:
    """Measure both, in turn."""
    with tempfile.TemporaryDirectory() as home, SampleHub() as hub:
        environment = os.environ | {"PAPERS_HOME": home, "PAPERS_HUB_URL": hub.url}
        last = newest_closed(hub.now)
        first = last - timedelta(days=DAYS - 1)
        subprocess.run([PAPERS, "backfill", str(first), str(last)], env=environment, check=True)
        file = Settings(home=Path(home)).published_path
        _seconds(file)
        idle, beside = [], []
        for _ in range(rounds):
            idle.append(_seconds(file))
            with _runs(str(last), environment):
                beside.append(_seconds(file))
    tell(
        Figure(
            f"{len(examples())} questions of analysts while a run writes",
            "s",
            tuple(beside),
            tuple(idle),
            "nothing beside",
            GOAL,
        )
    )


@contextmanager
def _runs(day: str, environment: Mapping[str, str]) -> Iterator[None]:
    """One run after the other, from when the first one is at work until the block ends."""
    is_over = threading.Event()

    def loop() -> None:
        while not is_over.is_set():
            with subprocess.Popen(
                [PAPERS, "run", day],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ) as run:
                while run.poll() is None:
                    if is_over.wait(0.1):
                        run.terminate()

    thread = threading.Thread(target=loop)
    thread.start()
    time.sleep(10)  # what it takes to start
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _seconds(file: Path) -> float:
    """The seconds of all questions, twenty times, over a connection of their own each time."""
    began = time.perf_counter()
    for _ in range(20):
        with duckdb.connect(str(file), read_only=True) as connection:
            connection.execute("set search_path = 'main,marts,quality'; set TimeZone = 'UTC'")
            for example in examples():
                connection.execute(example.query).fetchall()
    return time.perf_counter() - began


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)

"""How long a command takes to answer, against importing what no command can do without.

    PYTHONPATH=. python tests/benchmarks/bench_start.py [rounds]

The commands and the bare import take turns, so that a busy moment meets all of them.
"""

import os
import subprocess
import sys
import tempfile
import time

from flows.sources.feed_day import newest_closed
from flows.sources.sample_hub import SampleHub
from tests.benchmarks.figures import Figure, tell

BARE = [sys.executable, "-c", "import duckdb, cyclopts, rich.console, pydantic_settings"]
PAPERS = [sys.executable, "-m", "flows"]
COMMANDS = {
    "papers --help": [*PAPERS, "--help"],
    "papers sql": [*PAPERS, "sql", "select count(*) from listings"],
    "papers search": [*PAPERS, "search", "long context"],
    "papers status": [*PAPERS, "status"],
}


GOAL = 2


def main(rounds: int) -> None:
    """Measure each, in a home that has published a sample day."""
    seconds: dict[str, list[float]] = {name: [] for name in ("bare", *COMMANDS)}
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"PAPERS_HOME": home}
        with SampleHub() as hub:
            day = [*PAPERS, "run", str(newest_closed(hub.now))]
            of_hub = environment | {"PAPERS_HUB_URL": hub.url}
            subprocess.run(day, env=of_hub, check=True, capture_output=True)
        for number in range(rounds + 1):
            for name, command in {"bare": BARE, **COMMANDS}.items():
                began = time.perf_counter()
                subprocess.run(command, env=environment, capture_output=True, check=True)
                if number:  # the first round fills the caches of files
                    seconds[name].append(time.perf_counter() - began)
    bare = tuple(seconds.pop("bare"))
    for name, took in seconds.items():
        tell(Figure(name, "s", tuple(took), bare, "bare import", GOAL))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)

"""How long a command takes to answer, against importing what no command can do without.

PAPERS_HOME=data python tests/benchmarks/bench_start.py 7    after `papers run`

The commands and the bare import take turns, so that a busy moment meets all of them.
"""

import os
import statistics
import subprocess
import sys
import time

from rich.console import Console

BARE = [sys.executable, "-c", "import duckdb, cyclopts, rich.console, pydantic_settings"]
PAPERS = [sys.executable, "-m", "flows"]
COMMANDS = {
    "papers --help": [*PAPERS, "--help"],
    "papers sql": [*PAPERS, "sql", "select count(*) from listings"],
    "papers search": [*PAPERS, "search", "long context"],
    "papers status": [*PAPERS, "status"],
}


def main(rounds: int) -> None:
    """Print the median ratio of each command, and that of its rounds."""
    seconds: dict[str, list[float]] = {name: [] for name in ("bare", *COMMANDS)}
    for number in range(rounds + 1):
        for name, command in {"bare": BARE, **COMMANDS}.items():
            began = time.perf_counter()
            subprocess.run(command, env=dict(os.environ), capture_output=True, check=True)
            if number:  # the first round fills the caches of files
                seconds[name].append(time.perf_counter() - began)
    console = Console()
    bare = seconds.pop("bare")
    console.print(f"bare import: median {statistics.median(bare):.2f} s")
    for name, took in seconds.items():
        ratios = [mine / theirs for mine, theirs in zip(took, bare, strict=True)]
        low, high = min(ratios), max(ratios)
        console.print(f"{name}: {statistics.median(ratios):.2f} times ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)

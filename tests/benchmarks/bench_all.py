"""Every benchmark, one after the other, and one table of what they measured: `make bench`.

    PYTHONPATH=. python tests/benchmarks/bench_all.py [NAME …]

NAME is a part of a script's name; without one all are run. Each is a process of its own and
measures its own floor, so that a busy minute meets both. The table goes to figures.md, beside the
machine, the versions and how busy it was: run it with nothing beside.
"""

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from tests.benchmarks.figures import COLUMNS, VARIABLE, Figure, told

HERE = Path(__file__).parent
# A script, and the arguments with which it takes minutes and not hours.
SCRIPTS = (
    ("bench_start.py", ("7",)),
    ("bench_day.py", ("3",)),
    ("bench_warm_day.py", ("5",)),
    ("bench_backfill.py", ("1",)),
    ("bench_history.py", ("5",)),
    ("bench_search.py", ()),
    ("bench_pages.py", ()),
    ("bench_mailing.py", ()),
    ("bench_shards.py", ()),
    ("bench_lake.py", ("3",)),
    ("bench_analysts.py", ("3",)),
)
VERSIONS = ("duckdb", "dlt", "dbt-core", "dbt-duckdb", "great-expectations", "prefect")
console = Console(highlight=False, soft_wrap=True)


def main(names: Sequence[str]) -> int:
    """Run what is asked for and write the table; 1 where a benchmark failed."""
    chosen = [s for s in SCRIPTS if not names or any(name in s[0] for name in names)]
    before, failed = os.getloadavg()[0], []
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "figures.jsonl"
        kept.touch()
        environment = os.environ | {VARIABLE: str(kept), "PYTHONPATH": str(HERE.parents[1])}
        for script, arguments in chosen:
            console.rule(script)
            command = [sys.executable, str(HERE / script), *arguments]
            if subprocess.run(command, env=environment, check=False).returncode:
                failed.append(script)
        figures = told(kept)
    text = "\n".join([*_about(before), "", *_table(figures), "", *_failures(failed)])
    (HERE / "figures.md").write_text(text.rstrip() + "\n", encoding="utf-8")
    console.rule()
    console.print(text, markup=False)
    return 1 if failed else 0


def _about(load: float) -> Iterator[str]:
    versions = ", ".join(f"{name} {version(name)}" for name in VERSIONS)
    yield "# Figures"
    yield ""
    yield (
        f"`make bench` of {datetime.now(UTC):%-d %B %Y}: {os.cpu_count()} cores of"
        f" {platform.machine()}, load {load:.1f} as it began, Python {platform.python_version()},"
        f" {versions}."
    )


def _table(figures: Sequence[Figure]) -> Iterator[str]:
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---" * len(COLUMNS) + "|"
    for figure in figures:
        yield f"| {' | '.join(figure.row)} |"


def _failures(failed: Sequence[str]) -> Iterator[str]:
    if failed:
        yield f"These failed and are not, or not wholly, in the table: {', '.join(failed)}."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

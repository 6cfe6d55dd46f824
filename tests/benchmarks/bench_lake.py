"""How much faster several workers bring history into one lake than one command does.

    PYTHONPATH=. python tests/benchmarks/bench_lake.py [most workers]

A server of its own process answers each request after a second, as the Hub lets a host have fewer
than two a second. `papers backfill` brings ten months into a lake, its catalog in a PostgreSQL of
this run and its files in a folder; then `papers backfill --by-month` does, with one worker of a
work pool beside it, with two, and with three. Each begins with an empty lake; workers wait already.
"""

import multiprocessing
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg
from rich.console import Console

from tests.benchmarks.figures import Figure, tell
from tests.support.postgres import postgres_programs, started_postgres
from tests.support.prefect_processes import Processes, variables_of_server, without_settings
from tests.support.slow_hub import SlowHub

FIRST, LAST = "2025-11-01", "2026-08-13"
PAUSE_SECONDS = 1.0
console = Console()


def serve(ready: Connection) -> None:
    """Answer with made-up lists, each request after a pause."""
    hub = SlowHub(now=datetime(2026, 8, 14, 2, 31, tzinfo=UTC), size=22)
    hub.pause = PAUSE_SECONDS
    ready.send(hub.url)
    hub.start().closing.wait()


def main(most_workers: int) -> None:
    """Measure one command alone, then beside one worker and more."""
    programs = postgres_programs()
    assert programs, "PostgreSQL's server programs (initdb, postgres) are not installed"
    receiver, sender = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(sender,), daemon=True)
    server.start()
    hub = receiver.recv()
    with started_postgres(programs) as postgres:
        alone = _seconds(postgres, hub, workers=0)
        for workers in range(1, most_workers + 1):
            name = f"a backfill into a lake, {workers + 1} hands"
            tell(Figure(name, "s", (_seconds(postgres, hub, workers),), (alone,), "one command"))


def _seconds(postgres: str, hub: str, workers: int) -> float:
    """The seconds of the whole command, start and all."""
    database = f"lake_{workers}"
    with psycopg.connect(postgres % "postgres", autocommit=True) as connection:
        for name in (database, f"prefect_{workers}"):
            connection.execute(f"create database {name}".encode())
    with tempfile.TemporaryDirectory() as folder, _served(postgres, workers, folder) as processes:
        of_papers = {
            "PAPERS_HUB_URL": hub,
            "PAPERS_WAREHOUSE": f"ducklake:postgres:{postgres % database}",
            "PAPERS_LAKE_STORAGE": f"{folder}/storage",
        }
        for number in range(workers):
            home = {"PAPERS_HOME": f"{folder}/worker{number}"}
            processes.start(*_WORKER, f"worker{number}", **of_papers, **home)
        if workers:
            time.sleep(20)  # they are ready
        command = [sys.executable, "-m", "flows", "backfill", FIRST, LAST]
        began = time.perf_counter()
        done = subprocess.run(
            command + ["--by-month"] * bool(workers),
            env=processes.environment | of_papers | {"PAPERS_HOME": f"{folder}/leader"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        seconds = time.perf_counter() - began
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    console.print(done.stdout, markup=False, highlight=False)
    return seconds


_WORKER = ("worker", "start", "--pool", "papers", "--limit", "1", "--name")


@contextmanager
def _served(postgres: str, workers: int, folder: str) -> Iterator[Processes]:
    """Prefect's server with a work pool, where there are to be workers."""
    home = Path(folder) / "server"
    (home / "prefect").mkdir(parents=True)
    environment = without_settings() | {
        "PAPERS_HOME": str(home),
        "PAPERS_EMBEDDING_MODEL": "none",
        "PREFECT_HOME": str(home / "prefect"),
    }
    if workers:
        environment |= variables_of_server(postgres, f"prefect_{workers}")
    processes = Processes(environment)
    try:
        if workers:
            processes.start_server_with_pool()
        yield processes
    finally:
        processes.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)

"""A real PostgreSQL server of this run."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT

import psycopg
import pytest


def postgres_programs() -> Path | None:
    """The folder of initdb and postgres, None where they are not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server, without a database; it dies with the session."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL's server programs (initdb, postgres) are not installed")
    with started_postgres(programs) as url:
        yield url


@contextmanager
def started_postgres(programs: Path) -> Iterator[str]:
    """Start a server; its URL has a place for the name of a database."""
    # not pytest's own folder: root alone may enter that one, and PostgreSQL will not run as root
    folder = Path(tempfile.mkdtemp(prefix="papers-pg-"))
    user: str | None = None
    if os.geteuid() == 0:
        user = "nobody"
        shutil.chown(folder, user)
    try:
        subprocess.run(
            [programs / "initdb", "-D", folder / "data", "-U", "papers", "-A", "trust", "-N"],
            check=True, capture_output=True, user=user, cwd=folder,
        )  # fmt: skip
        server = subprocess.Popen(
            [programs / "postgres", "-D", folder / "data", "-k", folder, "-c", "listen_addresses=",
             "-c", "fsync=off", "-c", "max_connections=200"],
            user=user, cwd=folder, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _wait_for_postgres(folder, server)
            yield f"postgresql://papers@/%s?host={folder}"
        finally:
            server.send_signal(SIGINT)  # SIGTERM waits for every client to leave
            server.wait(20)
    finally:
        shutil.rmtree(folder)


def _wait_for_postgres(folder: Path, server: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        try:
            psycopg.connect(f"host={folder} user=papers dbname=postgres").close()
        except psycopg.OperationalError:
            assert server.poll() is None, "PostgreSQL did not start"
            time.sleep(0.1)
        else:
            return
    raise AssertionError("PostgreSQL did not start")

"""Prefect's server and workers as processes of a test."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.prefect_api import PrefectApi, children, eventually, free_port, is_alive

ROOT = Path(__file__).resolve().parents[2]
PREFECT = [sys.executable, "-m", "prefect", "--no-prompt"]


def variables_of_server(postgres: str, database: str) -> dict[str, str]:
    """What a Prefect server with this database, and its workers, find in their environment."""
    url = (postgres % database).replace("postgresql://", "postgresql+asyncpg://")
    return {
        "PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api",
        "PREFECT_API_DATABASE_CONNECTION_URL": url,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
    }


def without_settings() -> dict[str, str]:
    """The environment of this machine without what is set of us and of Prefect."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PAPERS_", "PREFECT_"))}


class Processes:
    """Prefect's own commands, each in a process group of its own, all ended with the test."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self._started: list[subprocess.Popen[Any]] = []

    def start(self, *words: str, **environment: str) -> int:
        """Start a command, with more variables than the others have; the number of its process."""
        log = Path(self.environment["PAPERS_HOME"]) / f"{words[0]}-{words[-1]}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*PREFECT, *words],
                env=self.environment | environment, cwd=ROOT, start_new_session=True,
                stdout=file, stderr=file,
            )  # fmt: skip
        self._started.append(process)
        return process.pid

    def start_server_with_pool(self) -> PrefectApi:
        """Start the server of PREFECT_API_URL and give it the work pool and our deployments."""
        url = self.environment["PREFECT_API_URL"]
        api = PrefectApi(url)
        self.start("server", "start", "--port", re.findall(r":(\d+)/", url)[0])
        eventually(api.is_up, "the server")
        self.run("work-pool", "create", "papers", "--type", "process")
        self.run("deploy", "--all", "--prefect-file", "infra/prefect.yaml")
        return api

    def end_with_test(self, process: subprocess.Popen[Any]) -> None:
        """End this process with the others, should the test not come to its end."""
        self._started.append(process)

    def run(self, *words: str) -> None:
        """Run a command to its end."""
        subprocess.run(
            [*PREFECT, *words], env=self.environment, cwd=ROOT, check=True, capture_output=True
        )

    def stop(self) -> None:
        """End all that is left of them."""
        for process in self._started:
            for each in (*children(process.pid), process.pid):
                if is_alive(each):
                    os.kill(each, signal.SIGKILL)
            process.wait()

"""Prefect's server and workers as processes of a test."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.prefect_api import children, is_alive

ROOT = Path(__file__).resolve().parents[2]
PREFECT = [sys.executable, "-m", "prefect", "--no-prompt"]


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

"""Forks children on demand, from a process that has imported everything already.

What a child does is said by a module with `prepare()`, which is called once, and `do(order)`.
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class ForkServer:
    """Processes of their own that do what the module says, by its name."""

    def __init__(self, module: str, environment: Mapping[str, str] = {}) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fork_server", module],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | environment,
        )  # fmt: skip

    def start(self, **order: Any) -> int:
        """The id of a new process that does what is ordered."""
        return int(self._ask(json.dumps(order)))

    def wait(self) -> list[int]:
        """The exit statuses of all processes started since the last time, in their order."""
        statuses: list[int] = json.loads(self._ask(""))
        return statuses

    def stop(self) -> None:
        self._process.communicate()

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(line, file=self._process.stdin, flush=True)
        return self._process.stdout.readline()


@contextmanager
def with_prefect(module: str, folder: Path) -> Iterator[ForkServer]:
    """One whose children are runs on the Prefect server of these tests; `folder` is for itself."""
    from prefect.settings import PREFECT_API_URL

    environment = {
        "PREFECT_API_URL": str(PREFECT_API_URL.value()),
        "PREFECT_HOME": str(folder / "prefect"),
        "PAPERS_HOME": str(folder / "parsed"),
    }
    server = ForkServer(module, environment)
    yield server
    server.stop()


def _main(module_name: str) -> None:
    """Answer a line of JSON with a process id, an empty line with the exit statuses."""
    module = importlib.import_module(module_name)
    module.prepare()
    children: list[int] = []
    for line in sys.stdin:
        if not line.strip():
            print([os.waitpid(child, 0)[1] for child in children], flush=True)  # noqa: T201
            children.clear()
        elif child := os.fork():
            children.append(child)
            print(child, flush=True)  # noqa: T201
        else:
            module.do(json.loads(line))
            os._exit(0)


if __name__ == "__main__":
    _main(sys.argv[1])

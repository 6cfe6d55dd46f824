"""What the tests with real processes ask of a Prefect server, over HTTP as its UI does."""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

PATIENCE_SECONDS = 400  # ten times what a quiet machine needs
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
T = TypeVar("T")


def eventually(ask: Callable[[], T], what: str) -> T:
    """The first answer that is true, while what is asked may not be there yet."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            if answer := ask():
                return answer
        except requests.RequestException:
            pass
        time.sleep(0.3)
    raise AssertionError(f"{what}: not within {PATIENCE_SECONDS} s")


class PrefectApi:
    """A Prefect server by the address of its API."""

    def __init__(self, url: str) -> None:
        self._url = url
        # Where two writers of its SQLite meet, the server asks the client to come again, and
        # Prefect's own client does.
        again = Retry(
            total=8, connect=0, read=0, status_forcelist=[503], allowed_methods=None,
            backoff_factor=0.2,
        )  # fmt: skip
        self._session = requests.Session()
        self._session.mount(url, HTTPAdapter(max_retries=again))

    def get(self, path: str) -> Any:
        answer = self._session.get(self._url + path, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._session.post(self._url + path, json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def is_up(self) -> bool:
        return self.get("/health") is True

    def deployments(self) -> dict[str, Any]:
        return {each["name"]: each for each in self.post("/deployments/filter", {})}

    def start(self, deployment: str) -> UUID:
        """A run of this deployment, due now."""
        key = self.deployments()[deployment]["id"]
        due_now = {"state": {"type": "SCHEDULED"}}
        return UUID(self.post(f"/deployments/{key}/create_flow_run", due_now)["id"])

    def runs(self) -> list[Any]:
        """The runs there are, those that wait for their time left out."""
        found = self.post("/flow_runs/filter", {"limit": 200})
        return [run for run in found if run["state"]["name"] != "Scheduled"]

    def scheduled(self, deployment: str) -> list[str]:
        """When the runs are due that the schedule of this deployment made, soonest first."""
        wanted = {
            "deployments": {"name": {"any_": [deployment]}},
            "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
        }
        return sorted(run["expected_start_time"] for run in self.post("/flow_runs/filter", wanted))

    def run(self, run_id: UUID) -> Any:
        return self.get(f"/flow_runs/{run_id}")

    def ended(self, run_id: UUID) -> Any:
        """The run when it has ended."""
        eventually(lambda: self.run(run_id)["state"]["type"] in FINAL, f"the end of {run_id}")
        return self.run(run_id)

    def artifacts(self, run_id: UUID) -> set[str]:
        """The keys of what a run shows on its page."""
        of_run = {"artifacts": {"flow_run_id": {"any_": [str(run_id)]}}}
        return {artifact["key"] for artifact in self.post("/artifacts/filter", of_run)}


def children(process: int) -> set[int]:
    """The processes that this one started, and those that they started."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                stat = (folder / "stat").read_text()
            except OSError:
                continue  # it has just ended
            state, parent = stat.rpartition(")")[2].split()[:2]
            if state != "Z":
                parents[int(folder.name)] = int(parent)
    found, todo = set[int](), {process}
    while todo:
        todo = {child for child, parent in parents.items() if parent in todo} - found
        found |= todo
    return found


def is_alive(process: int) -> bool:
    """Whether a process runs, and is no zombie that nobody has asked about."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port

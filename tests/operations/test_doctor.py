"""What the doctor looks at, what it says, and that it changes nothing."""

import fcntl
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from flows.operations.doctor import Diagnosis, examine, usable
from flows.runs.schedule import check_schedule
from flows.settings import load_settings
from flows.sources.sample import faults
from flows.sources.sample_hub import SampleHub
from flows.state.seal import seal_of
from tests.support.clock import CLOSED
from tests.support.console import Papers

Examine = Callable[[], dict[str, Diagnosis]]


@pytest.fixture
def found(hub: SampleHub) -> Examine:
    """Every subject with its last finding."""
    return lambda: {
        finding.subject: finding
        for finding in examine(load_settings(), os.environ.get("PREFECT_API_URL"), CLOSED)
    }


def test_a_new_home_has_no_problem_and_stays_as_it_is(found: Examine, own_home: Path) -> None:
    findings = found()
    assert {f.subject: f.level for f in findings.values()} == {
        "home": "ok", "disk": findings["disk"].level, "hub": "ok", "warehouse": "note",
        "published": "note", "prefect": "note", "mail": "warning", "list": "note", "key": "note",
        "dns": "note", "operator": "warning",
    }  # fmt: skip
    assert list(own_home.iterdir()) == []


def test_what_is_broken_is_a_problem_without_its_secret(
    found: Examine, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERS_HUB_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PAPERS_MAIL_URL", "smtp://me:hunter2@127.0.0.1:9")
    monkeypatch.setenv("PAPERS_PUBLIC_URL", "https://papers.example.org")
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    (own_home / "published").mkdir()
    (own_home / "published" / "papers.duckdb").write_bytes(b"no database")
    findings = found()
    problems = {name for name, finding in findings.items() if finding.level == "problem"}
    assert problems == {"hub", "mail", "prefect", "published"}
    assert all("hunter2" not in finding.sentence for finding in findings.values())
    assert [path.name for path in own_home.iterdir()] == ["published"]


def test_a_hub_that_refuses_the_token_is_no_trouble_of_the_network(
    found: Examine, hub: SampleHub
) -> None:
    hub.fail(faults.status(401))
    finding = found()["hub"]
    assert finding.level == "problem"
    assert finding.sentence.endswith("it answered 401; look at PAPERS_HUB_TOKEN.")


def test_a_setting_that_only_some_commands_use_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAPERS_SCHEDULE", "99 99 * * *")
    monkeypatch.setenv("PAPERS_STATE_KEY", "short")
    settings = load_settings()
    checks = (partial(check_schedule, settings), partial(seal_of, settings.state_key))
    said = [(finding.level, finding.sentence) for finding in usable(checks)]
    assert [level for level, _ in said] == ["problem", "problem"]
    assert said[0][1].startswith("PAPERS_SCHEDULE cannot be used: '99 99 * * *' is no cron line")
    assert said[1][1].startswith("PAPERS_STATE_KEY cannot be used: it is shorter than")


def test_a_full_disk_is_a_problem(found: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, level in ((500_000_000, "problem"), (3_000_000_000, "warning"), (10**12, "ok")):
        monkeypatch.setattr(
            shutil, "disk_usage", lambda _path, free=free: SimpleNamespace(free=free)
        )
        assert found()["disk"].level == level


def test_who_holds_the_warehouse_is_named(found: Examine, own_home: Path) -> None:
    with (own_home / "writer.lock").open("w") as lock:
        lock.write("process 4711")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert found()["writer"].sentence == "A run is at work: process 4711."
    assert "writer" not in found()


def test_a_key_that_others_can_read_or_guess_is_named(
    found: Examine, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = own_home / "secret.key"
    key.write_text("k" * 48)
    for mode, level in ((0o644, "warning"), (0o600, "ok")):
        key.chmod(mode)
        assert found()["key"].level == level
    for length, level in ((8, "warning"), (40, "ok")):
        monkeypatch.setenv("PAPERS_SECRET_KEY", "s" * length)
        assert found()["key"].level == level
        assert "ssss" not in found()["key"].sentence


@pytest.mark.parametrize("held", [b"", b"\n", b"\xff\xfe\x80"])
def test_a_file_that_holds_no_key_is_named(
    found: Examine, own_home: Path, papers: Papers, held: bytes
) -> None:
    key = own_home / "secret.key"
    key.write_bytes(held)
    finding = found()["key"]
    assert finding.level == "problem"
    assert finding.sentence.startswith(f"{key} holds no key. Restore it from the backup")
    assert papers("web", "--port", "0")[::2] == (2, f"{finding.sentence}\n")


class Server(NamedTuple):
    """A Prefect server as far as the doctor asks it."""

    url: str
    deployments: list[dict[str, Any]]
    runs: list[dict[str, Any]]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    answers: dict[str, Any] = {"deployments": [], "flow_runs": [], "health": True}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            body = json.dumps(answers[self.path.split("/")[2]]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
    url = f"http://127.0.0.1:{http.server_port}/api"
    monkeypatch.setenv("PREFECT_API_URL", url)
    yield Server(url, answers["deployments"], answers["flow_runs"])
    http.shutdown()
    http.server_close()


def test_a_schedule_is_followed_to_its_next_run(found: Examine, server: Server) -> None:
    assert "nothing runs by itself" in found()["prefect"].sentence
    server.deployments.append({"name": "daily digest", "paused": False, "schedules": [{}]})
    assert "no run is coming" in found()["prefect"].sentence
    for start, level in ((CLOSED - timedelta(hours=1), "problem"), (CLOSED, "ok")):
        server.runs[:] = [{"expected_start_time": start.isoformat()}]
        assert found()["prefect"].level == level
    assert found()["prefect"].sentence == (
        "Scheduled: daily digest; the next run is at 2026-08-21 02:31 UTC."
    )


def test_the_real_servers_answers_are_understood(
    prefect: None, found: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.settings import PREFECT_API_URL

    monkeypatch.setenv("PREFECT_API_URL", str(PREFECT_API_URL.value()))
    assert found()["prefect"].level in {"ok", "warning"}

"""Who starts other senders of an issue: runs of a work pool, as far as the server lets them."""

import logging
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from httpx import ConnectError
from prefect.exceptions import ObjectNotFound

from flows.runs import pool

DAY = date(2026, 8, 14)


@dataclass
class _Server:
    """What `start_shards` asks of Prefect's server, and what it was asked to start."""

    pool: str | None = "papers"
    is_registered: bool = True
    starts_most: int = 9
    started: list[dict[str, Any]] = field(default_factory=list)

    def read_flow_run(self, _key: UUID) -> SimpleNamespace:
        return SimpleNamespace(work_pool_name=self.pool)

    def read_deployment_by_name(self, name: str) -> SimpleNamespace:
        assert name == "send shard/send-shard"
        if not self.is_registered:
            raise ObjectNotFound(RuntimeError(name))
        return SimpleNamespace(id=uuid4())

    def create_flow_run_from_deployment(self, _key: UUID, **given: Any) -> None:
        if len(self.started) == self.starts_most:
            raise ConnectError("the server went away")
        self.started.append(given)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> _Server:
    found = _Server()
    key = str(uuid4())
    monkeypatch.setattr(pool, "deployment", SimpleNamespace(id=key))
    monkeypatch.setattr(pool, "flow_run", SimpleNamespace(id=key))
    monkeypatch.setattr(pool, "get_client", lambda **_: nullcontext(found))
    monkeypatch.setattr(pool, "get_run_logger", lambda: logging.getLogger("run"))
    return found


def test_a_run_of_a_pool_starts_as_many_as_it_is_asked_for(server: _Server) -> None:
    assert pool.start_shards("weekly", DAY, 3) == 3
    assert [run["name"] for run in server.started] == [
        f"Sender {number} of 4, weekly issue of 2026-08-14" for number in (2, 3, 4)
    ]
    assert server.started[0]["parameters"] == {"edition": "weekly", "issue_date": "2026-08-14"}


def test_no_other_run_starts_any(server: _Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.pool = None  # of `papers serve`
    assert pool.start_shards("daily", DAY, 3) == 0
    monkeypatch.setattr(pool, "deployment", SimpleNamespace(id=None))  # at a terminal
    assert pool.start_shards("daily", DAY, 3) == 0
    assert server.started == []


def test_what_is_in_the_way_is_told_and_the_run_sends_with_those_it_has(
    server: _Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.starts_most = 1
    assert pool.start_shards("daily", DAY, 3) == 1
    assert "1 of 3 senders could be started: the server went away" in caplog.text
    server.is_registered = False
    assert pool.start_shards("daily", DAY, 3) == 0
    assert "the deployment send-shard is not registered" in caplog.text

"""What every test may ask for: a home of its own, the recorded responses, and no internet."""

import os
import socket
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

import tests.support.odd_input  # noqa: F401  # registers the profile that may be asked for

pytest_plugins = [
    "tests.support.clock",
    "tests.support.console",
    "tests.support.lakes",
    "tests.support.postgres",
    "tests.support.relay",
    "tests.support.whole_runs",
]

CORPUS = Path(__file__).resolve().parents[1].parent / "shared" / "corpus"
_connect = socket.socket.connect


def _loopback_only(self: socket.socket, address: Any) -> None:
    """Connect, or fail: a test that reaches the internet proves nothing about this repo."""
    if self.family in (socket.AF_INET, socket.AF_INET6):
        host = address[0]
        if host != "localhost" and not ip_address(host).is_loopback:
            raise AssertionError(f"a test tried to reach {host}; only loopback is allowed")
    _connect(self, address)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest: it takes one worker as long as the others take for all the rest."""
    items.sort(key=lambda item: "test_sixty_days.py" not in item.nodeid)


@pytest.fixture(autouse=True)
def no_internet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", _loopback_only)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PAPERS_HOME of this test alone, and none of the caller's settings."""
    for name in [name for name in os.environ if name.startswith(("PAPERS_", "PREFECT_"))]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("PAPERS_HOME", str(home))
    # Meanings take 20 ms a paper; whose business they are sets the model.
    monkeypatch.setenv("PAPERS_EMBEDDING_MODEL", "none")
    return home


@pytest.fixture(scope="session")
def corpus() -> Path:
    if not CORPUS.is_dir():
        pytest.skip("the recorded responses (../shared/corpus) are not on this machine")
    return CORPUS

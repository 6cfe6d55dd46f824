"""A repository that a state is kept in, and machines that are wiped."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.settings import Settings

KEY = "a key of thirty-two characters or more"
Machine = Callable[[], Settings]


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A bare repository: what GitHub is to a fork."""
    folder = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", folder], check=True)
    return folder


@pytest.fixture
def machine(tmp_path: Path, remote: Path) -> Machine:
    """A new machine each time: an empty home, and the settings that lead to the state."""
    count = iter(range(100))

    def new() -> Settings:
        return Settings(
            home=tmp_path / f"machine{next(count)}",
            state_url=SecretStr(str(remote)),
            state_key=SecretStr(KEY),
        )

    return new

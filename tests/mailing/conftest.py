"""A mailing list of each test, on both databases."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path

import psycopg
import pytest

from flows.mailing.database import Mailing, open_mailing_database
from tests.support.clock import Clock
from tests.support.fork_server import ForkServer

NOW = datetime(2026, 8, 14, 2, 0, tzinfo=UTC)
DAY = date(2026, 8, 13)
_numbers = count()


@pytest.fixture(params=["sqlite", "postgresql"])
def list_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A mailing list of this test alone, on each of the two databases."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'mailing.sqlite'}"
    url: str = request.getfixturevalue("postgres")
    name = f"papers_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(url % "postgres", autocommit=True) as connection:
        connection.execute(f"create database {name}")
    return url % name


@pytest.fixture
def mailing(list_url: str) -> Iterator[Mailing]:
    opened = open_mailing_database(list_url)
    yield opened
    opened.close()


@pytest.fixture
def clock(clock: Clock) -> Clock:
    """The clock of all tests, at the moment of these."""
    clock.turn(NOW)
    return clock


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    started = ForkServer("tests.support.sender")
    yield started
    started.stop()

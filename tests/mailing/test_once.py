"""Nobody gets two: runs at once, and runs killed at every point and taken up again."""

import os
import random
import signal
import threading
import time
from collections import Counter
from queue import Queue
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from flows.mailing import ledger_issues
from flows.mailing.csv_lines import import_csv
from flows.mailing.database import Mailing
from flows.mailing.ledger_issues import find_issue
from flows.mailing.tables import deliveries, subscribers
from tests.mailing.conftest import DAY, NOW
from tests.support.relay import Relay

if TYPE_CHECKING:
    from tests.support.fork_server import ForkServer

KILLS = 30
CONNECTIONS = 4  # what a sender opens by default


def _join(mailing: Mailing, count: int) -> list[str]:
    addresses = [f"reader{number}@example.org" for number in range(count)]
    rules = ["", "robots", "vision; language"]
    lines = [f"{address},{rules[n % 3]}" for n, address in enumerate(addresses)]
    assert import_csv(mailing, ["address,include", *lines], now=NOW).is_done
    return addresses


def _states(mailing: Mailing) -> Counter[str]:
    return Counter({row.state: row.count for row in ledger_issues.delivery_counts(mailing)})


def _start(fork_server: "ForkServer", url: str, relay: Relay) -> int:
    return fork_server.start(
        do="send", url=url, port=relay.port, now=NOW.isoformat(), day=DAY.isoformat()
    )


def test_four_runs_at_once_send_each_message_once(
    mailing: Mailing, list_url: str, relay: Relay, fork_server: "ForkServer"
) -> None:
    addresses = _join(mailing, 400)
    for _ in range(4):
        _start(fork_server, list_url, relay)
    assert fork_server.wait() == [0] * 4
    assert relay.counts == dict.fromkeys(addresses, 1)
    assert _states(mailing) == {"sent": 400}
    issue = find_issue(mailing, "daily", DAY)
    assert issue is not None
    assert issue.state == "done"


class _Strike:
    """Kills a sender, or says that it is time to, after so many steps of its messages."""

    def __init__(self, *, after: int, is_at_once: bool) -> None:
        self.sender, self.is_time = Queue[int](), threading.Event()
        self.is_at_once, self._steps = is_at_once, iter(range(after))

    def __call__(self) -> None:
        if next(self._steps, None) is None and not self.is_time.is_set():
            if self.is_at_once:
                os.kill(self.sender.get(), signal.SIGKILL)
            self.is_time.set()


@pytest.mark.torture
def test_thirty_kills_leave_nobody_with_two_and_one_doubt_a_connection(
    mailing: Mailing, list_url: str, relay: Relay, fork_server: "ForkServer"
) -> None:
    """Each run dies by SIGKILL, at a step that the relay sees, or between two of them."""
    addresses = _join(mailing, 1000)
    chance = random.Random(1)  # noqa: S311
    for kill in range(KILLS):
        strike = _Strike(after=2 + 11 * (kill % 7), is_at_once=bool(kill % 2))
        relay.meanwhile = strike
        strike.sender.put(process := _start(fork_server, list_url, relay))
        assert strike.is_time.wait(20)
        if not strike.is_at_once:
            time.sleep(chance.random() / 100)
            os.kill(process, signal.SIGKILL)
        (status,) = fork_server.wait()
        assert os.WIFSIGNALED(status)
        assert _doubts(mailing) <= CONNECTIONS
    relay.meanwhile = None
    _start(fork_server, list_url, relay)
    assert fork_server.wait() == [0]

    unknown = _unknown(mailing)
    assert unknown
    assert max(relay.counts.values()) == 1
    assert set(addresses) - set(relay.counts) <= unknown
    assert _states(mailing) == {"sent": 1000 - len(unknown), "unknown": len(unknown)}
    if mailing.file:
        assert not list(mailing.file.parent.glob("*-sender-*"))


def _doubts(mailing: Mailing) -> int:
    """How many messages the run that just died leaves past DATA."""
    with mailing.read() as connection:
        return connection.execute(
            select(func.count()).where(
                deliveries.c.state == "claimed", deliveries.c.data_at.is_not(None)
            )
        ).scalar_one()


def _unknown(mailing: Mailing) -> set[str]:
    query = select(subscribers.c.address).join(deliveries).where(deliveries.c.state == "unknown")
    with mailing.read() as connection:
        return {str(address) for address in connection.scalars(query)}

"""How much faster several senders are than one, over one list in PostgreSQL.

    PYTHONPATH=. python tests/benchmarks/bench_shards.py [--subscribers 6000] [--answer 0.02]

The relay takes each message after `--answer` seconds, as one over the internet does: that, and not
this machine, is what one sender waits for. Each sender is a process with its four connections; the
others are ready before the leader begins, and the time is the leader's, to the last message.
"""

import argparse
import time
from contextlib import ExitStack
from datetime import date, timedelta
from functools import partial
from multiprocessing.connection import Connection as Pipe

import psycopg

from flows import clock
from flows.mailing.database import open_mailing_database
from flows.mailing.ledger_issues import open_issue
from flows.mailing.letters import letters
from flows.mailing.sender import Compose
from flows.mailing.sending import send_issue, take_part
from flows.mailing.shared import Sharing, find_shared
from flows.mailing.transports import SmtpTransport
from tests.benchmarks.bench_mailing import DAY, NOW, digest, fill, post, process, sink
from tests.benchmarks.figures import Figure, tell
from tests.support.likeness import NOTHING_ALIKE
from tests.support.postgres import postgres_programs, started_postgres

MOST_SENDERS = 4
RULES = 50


def _compose() -> Compose:
    return letters(digest(), post(), NOTHING_ALIKE, sent_at=NOW)


def _relay(port: int) -> SmtpTransport:
    return SmtpTransport("127.0.0.1", port, "papers@papers.example.org", "none")


def _along(url: str, day: date, port: int, pipe: Pipe) -> None:
    """Take part once the leader shares the issue."""
    mailing, compose = open_mailing_database(url), _compose()
    pipe.send("ready")
    while (shared := find_shared(mailing, "daily", day)) is None:
        time.sleep(0.005)
    report = take_part(
        mailing, shared, compose, _relay(port), clock=clock.running_from(shared.began_at)
    )
    pipe.send(report.sentence if report else "")


def _lead(url: str, day: date, port: int, others: int, pipe: Pipe) -> None:
    """Send the issue with so many others; tells the seconds."""
    mailing, compose = open_mailing_database(url), _compose()
    issue = open_issue(mailing, "daily", day, due_at=NOW, now=NOW)
    sharing = Sharing(others, lambda: "", lambda _: others) if others else None
    began = time.perf_counter()
    report = send_issue(mailing, issue, compose, _relay(port), clock=clock.utc_now, sharing=sharing)
    pipe.send((time.perf_counter() - began, report.sentence))


def _seconds(url: str, day: date, port: int, others: int) -> float:
    with ExitStack() as stack:
        for _ in range(others):
            ready = stack.enter_context(process(_along, url, day, port))
            assert ready.recv() == "ready"
        seconds, sentence = stack.enter_context(process(_lead, url, day, port, others)).recv()
    assert sentence.startswith("Sent to "), sentence
    return float(seconds)


def main() -> None:
    """Fill a list, send an issue by one sender, then by two and more, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=6_000)
    parser.add_argument("--answer", type=float, default=0.02)
    asked = parser.parse_args()
    programs = postgres_programs()
    assert programs, "PostgreSQL's server programs (initdb, postgres) are not installed"
    with started_postgres(programs) as server, process(sink, asked.answer) as relay:
        with psycopg.connect(server % "postgres", autocommit=True) as connection:
            connection.execute("create database mailing")
        url, port = server % "mailing", relay.recv()
        fill(url, asked.subscribers, RULES)
        measure = partial(_seconds, url, port=port)
        days = (DAY + timedelta(days=number) for number in range(MOST_SENDERS))
        each = [
            measure(day=day, others=others) / asked.subscribers * 1000
            for others, day in enumerate(days)
        ]
    for others, taken in enumerate(each[1:], 1):
        name = f"a message, {others + 1} senders"
        tell(Figure(name, "ms", (taken,), (each[0],), "one sender", 1 / 0.7 / (others + 1)))


if __name__ == "__main__":
    main()

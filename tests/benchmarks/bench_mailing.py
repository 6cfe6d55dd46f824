"""How fast an issue goes out, as a ratio to a bare smtplib loop, and how much memory it takes.

    PYTHONPATH=. python tests/benchmarks/bench_mailing.py [--subscribers 100000] [--rules 500]
        [--url postgresql://…]

The sink is a process of its own that says yes to everything; the bare loop
sends messages that are ready, over as many connections, before and after.
"""

import argparse
import asyncio
import resource
import smtplib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain, count
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console
from rich.progress import Progress

from flows import clock
from flows.mailing.csv_lines import import_csv
from flows.mailing.database import open_mailing_database
from flows.mailing.ledger_issues import open_issue
from flows.mailing.letters import Post, letters
from flows.mailing.recipients import Reader
from flows.mailing.rules import Rule, parse_rule
from flows.mailing.sender import Letter, SendLimits
from flows.mailing.sending import send_issue
from flows.mailing.tokens import Tokens
from flows.mailing.transports import Connection, Parcel, SendResult, SmtpTransport
from flows.newsletter.digest import Digest, DigestPaper, Proof
from flows.newsletter.site import Site
from tests.benchmarks.figures import Figure, tell
from tests.support.likeness import NOTHING_ALIKE

SENDER = "Daily Papers <papers@papers.example.org>"
NOW = datetime.now(UTC)
DAY = date(2026, 8, 13)
WORDS = ["robot", "agent", "vision", "graph", "speech", "code", "protein", "memory", "3d", "music"]
CONNECTIONS = SendLimits().connections_count
BARE_COUNT = 8000


class _Sink(asyncio.Protocol):
    """The least that is an SMTP server: reads everything, says yes to a message after a while."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._out, self._line, self._tail, self._is_data = transport, b"", b"", False
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        if self._is_data:
            self._tail = (self._tail + data[-5:])[-5:]
            if self._tail == b"\r\n.\r\n":
                self._is_data = False
                if self._seconds:
                    later = asyncio.get_running_loop().call_later
                    later(self._seconds, self._out.write, b"250 taken\r\n")
                else:
                    self._out.write(b"250 taken\r\n")
            return
        self._line += data
        while b"\r\n" in self._line:
            line, self._line = self._line.split(b"\r\n", 1)
            self._is_data = line.upper() == b"DATA"
            if line[:4].upper() == b"EHLO":  # what every relay in use offers
                self._out.write(b"250-sink\r\n250 PIPELINING\r\n")
            else:
                self._out.write(b"354 go on\r\n" if self._is_data else b"250 ok\r\n")
            self._tail = b""


def sink(seconds: float, pipe: Pipe) -> None:
    """Take every message, each after so many seconds; tells its port."""

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Sink(seconds), "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


def digest() -> Digest:
    """An issue of forty papers."""
    papers = tuple(
        DigestPaper(
            paper_id=f"2608.{rank:05}",
            rank=rank,
            title=f"On {WORDS[rank % 10].title()} and {WORDS[rank // 10 % 10].title()} <{rank}>",
            abstract=f"We study {WORDS[rank % 7]} models & find that they are “convex”. " * 12,
            upvotes_count=200 - rank,
            comments_count=rank % 5,
            organization_name="The Laboratory",
            author_names=("Ada Lovelace", "José García"),
            author_count=2,
        )
        for rank in range(1, 41)
    )
    return Digest(DAY, "daily", papers, Proof(40, 40, NOW, 30))


def post() -> Post:
    """Who it is from."""
    return Post(Site("https://papers.example.org"), Tokens([SecretStr("benchmark")]), SENDER)


@dataclass
class _Counting:
    """The real transport, counting what it took."""

    transport: SmtpTransport
    on_sent: Callable[[], None]

    def open(self) -> "_CountingConnection":
        return _CountingConnection(self.transport.open(), self.on_sent)

    def cut(self) -> None:
        self.transport.cut()


@dataclass
class _CountingConnection:
    connection: Connection
    on_sent: Callable[[], None]

    def send(self, parcel: Parcel, may_send: Callable[[], bool]) -> SendResult:
        outcome = self.connection.send(parcel, may_send)
        self.on_sent()
        return outcome

    def close(self) -> None:
        self.connection.close()


@dataclass(frozen=True)
class _Measured:
    """What the sending process says of itself when it is done."""

    sentence: str
    seconds: float
    renderings: int
    rules: int
    peak_mb: float
    cpu_seconds: float  # what a busy machine changes least


@dataclass(frozen=True)
class _Rate:
    """What the bare loop says of itself."""

    per_second: float
    cpu_microseconds: float  # a message


def _ours(url: str, port: int, pipe: Pipe) -> None:
    """Send the issue; runs in a process of its own, whose memory is what counts."""
    mailing = open_mailing_database(url)
    issue = open_issue(mailing, "daily", DAY, due_at=NOW, now=NOW)
    compose = letters(digest(), post(), NOTHING_ALIKE, sent_at=NOW)
    rendered: list[str] = []
    sent = count(1)

    def counted(rule: Rule) -> Letter | None:
        rendered.append(rule.key)
        return compose(rule)

    def on_sent() -> None:
        if (number := next(sent)) % 200 == 0:
            pipe.send(number)

    transport = SmtpTransport("127.0.0.1", port, "papers@papers.example.org", "none")
    began, began_cpu = time.perf_counter(), time.process_time()
    report = send_issue(mailing, issue, counted, _Counting(transport, on_sent), clock=clock.utc_now)
    pipe.send(
        _Measured(
            report.sentence,
            time.perf_counter() - began,
            len(rendered),
            len(set(rendered)),
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            time.process_time() - began_cpu,
        )
    )


def _bare(port: int, size: int, pipe: Pipe) -> None:
    """The bare loop: ready messages, as many connections, nothing written down; its rate."""
    line = b"The quick brown fox jumps over the lazy dog, and again over it.\r\n"
    ready = b"From: a@b.org\r\nTo: c@d.org\r\n\r\n" + line * (size // len(line))

    def loop() -> None:
        smtp = smtplib.SMTP("127.0.0.1", port)
        for number in range(BARE_COUNT // CONNECTIONS):
            smtp.sendmail("papers@papers.example.org", [f"reader{number}@example.org"], ready)
        smtp.close()

    threads = [threading.Thread(target=loop) for _ in range(CONNECTIONS)]
    began, began_cpu = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cpu = time.process_time() - began_cpu
    pipe.send(_Rate(BARE_COUNT / (time.perf_counter() - began), cpu / BARE_COUNT * 1e6))


_processes = get_context("spawn")


@contextmanager
def process(target: Callable[..., None], *args: object) -> Iterator[Pipe]:
    """Run this in a process of its own; gives the pipe that it speaks on."""
    ours, theirs = _processes.Pipe()
    started = _processes.Process(target=target, args=(*args, theirs))
    started.start()
    try:
        yield ours
    finally:
        started.terminate()
        started.join()


def _rate_of_bare(port: int, size: int) -> _Rate:
    with process(_bare, port, size) as pipe:
        rate: _Rate = pipe.recv()
    return rate


def _choices(count: int) -> list[str]:
    """As many different choices: by words, by upvotes, by what is left out."""
    kinds = ("{word};more{n},,0", ",{word} again{n},{votes}", "{word};other{n},{word} x{n},{votes}")
    return [kinds[n % 3].format(word=WORDS[n % 10], n=n, votes=n % 150) for n in range(count)]


def fill(url: str, subscribers: int, rules: int) -> float:
    """Import the list as an operator would; how many lines a second that is."""
    choices = _choices(rules)
    header = "address,include,exclude,upvotes_min"
    lines = (f"reader{n}@example.org,{choices[n % rules]}" for n in range(subscribers))
    mailing = open_mailing_database(url)
    began = time.perf_counter()
    done = import_csv(mailing, chain([header], lines), now=NOW)
    mailing.close()
    assert done.is_done, done.sentence
    return subscribers / (time.perf_counter() - began)


def _mean_size(rules: int) -> int:
    """How long our messages are, so that the bare loop's are as long."""
    compose = letters(digest(), post(), NOTHING_ALIKE, sent_at=NOW)
    sizes = []
    names = ("include", "exclude", "upvotes_min")
    for choice in _choices(rules)[:30]:
        rule = parse_rule(dict(zip(names, choice.split(","), strict=True)))
        if letter := compose(rule):
            sizes.append(len(letter(Reader(0, "0" * 20, "ada@example.org", rule, rule.key))))
    return sum(sizes) // len(sizes)


def main() -> None:
    """Fill a list, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=100_000)
    parser.add_argument("--rules", type=int, default=500)
    parser.add_argument("--url", help="an empty database; default: a SQLite file")
    asked = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as folder, process(sink, 0.0) as relay:
        url = asked.url or f"sqlite:///{Path(folder) / 'mailing.sqlite'}"
        port, size = relay.recv(), _mean_size(asked.rules)
        with console.status("Importing the list"):
            imported = fill(url, asked.subscribers, asked.rules)
        before = _rate_of_bare(port, size)
        with Progress(console=console) as progress, process(_ours, url, port) as pipe:
            bar = progress.add_task("Sending", total=asked.subscribers)
            while isinstance(done := pipe.recv(), int):
                progress.update(bar, completed=done)
        after = _rate_of_bare(port, size)
    rate = asked.subscribers / done.seconds
    bare = (before.per_second + after.per_second) / 2
    cpu = done.cpu_seconds / asked.subscribers * 1e6
    bare_cpu = (before.cpu_microseconds + after.cpu_microseconds) / 2
    console.print(
        f"{done.sentence} Messages of {size:,} bytes, {CONNECTIONS} connections.",
        f"{done.renderings} renderings of {done.rules} rules; imported {imported:,.0f} lines/s",
        sep="\n",
    )
    tell(Figure("a message", "ms", (1000 / rate,), (1000 / bare,), "bare smtplib loop", 1 / 0.7))
    tell(Figure("processor of a message", "µs", (cpu,), (bare_cpu,), "bare smtplib loop"))
    tell(Figure("memory of the sender", "MB", (done.peak_mb,), most=300))


if __name__ == "__main__":
    main()

"""Real servers for the mailing list: a PostgreSQL of this run, and SMTP that answers as told."""

import asyncio
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from flows.mailing.database import Mailing, open_mailing_database
from flows.mailing.transports import SmtpTransport

NOW = datetime(2026, 8, 14, 2, 0, tzinfo=UTC)
DAY = date(2026, 8, 13)
_numbers = count()


def _postgres_programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server, without a database; it dies with the session."""
    programs = _postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL's server programs (initdb, postgres) are not installed")
    # not pytest's own folder: root alone may enter that one, and PostgreSQL will not run as root
    folder = Path(tempfile.mkdtemp(prefix="papers-pg-"))
    user: str | None = None
    if os.geteuid() == 0:
        user = "nobody"
        shutil.chown(folder, user)
    try:
        subprocess.run(
            [programs / "initdb", "-D", folder / "data", "-U", "papers", "-A", "trust", "-N"],
            check=True, capture_output=True, user=user, cwd=folder,
        )  # fmt: skip
        server = subprocess.Popen(
            [programs / "postgres", "-D", folder / "data", "-k", folder, "-c", "listen_addresses=",
             "-c", "fsync=off", "-c", "max_connections=200"],
            user=user, cwd=folder, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _wait_for_postgres(folder, server)
            yield f"postgresql://papers@/%s?host={folder}"
        finally:
            server.terminate()
            server.wait(20)
    finally:
        shutil.rmtree(folder)


def _wait_for_postgres(folder: Path, server: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        try:
            psycopg.connect(f"host={folder} user=papers dbname=postgres").close()
        except psycopg.OperationalError:
            assert server.poll() is None, "PostgreSQL did not start"
            import time

            time.sleep(0.1)
        else:
            return
    raise AssertionError("PostgreSQL did not start")


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


@dataclass
class Relay:
    """An SMTP server that answers what a test says, and remembers what it took.

    `script[step]` holds the answers to come at a step (MAIL, RCPT, DATA, END), by recipient or for
    all (""); when they are used up, the step says yes. The answer "drop" cuts the connection,
    "hang" never answers, "take and drop" keeps the message and cuts.
    """

    script: dict[str, dict[str, deque[str]]] = field(default_factory=dict)
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    logins: list[bytes] = field(default_factory=list)
    sessions: int = 0
    meanwhile: Callable[[], None] | None = None  # runs at each step, before the answer
    port: int = 0
    offers: tuple[str, ...] = ()

    def says(self, step: str, *answers: str, to: str = "") -> None:
        self.script.setdefault(step, {}).setdefault(to, deque()).extend(answers)

    def answer(self, step: str, to: str = "") -> str | None:
        for key in dict.fromkeys((to, "")):
            if queue := self.script.get(step, {}).get(key):
                return queue.popleft()
        return None

    @property
    def counts(self) -> Counter[str]:
        """How many messages each recipient has."""
        return Counter(to for to, _ in self.taken)

    def transport(self, **options: Any) -> SmtpTransport:
        """The way to this relay."""
        fixed: dict[str, Any] = {"sender": "papers@papers.example.org", "tls": "none"}
        return SmtpTransport("127.0.0.1", self.port, **(fixed | options))

    async def handle_EHLO(  # noqa: N802  # aiosmtpd's name
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], *(f"250-{offer}" for offer in self.offers), responses[-1]]

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        said = await self._play("MAIL", server)
        if said.startswith("250"):
            envelope.mail_from = address
        return said

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        said = await self._play("RCPT", server, address)
        if said.startswith("250"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert len(envelope.rcpt_tos) == 1, "one recipient an envelope"
        to = envelope.rcpt_tos[0]
        self.seen["END"] += 1
        answer = self.answer("END", to) or "250 taken"
        if answer in {"250 taken", "take and drop"}:
            assert isinstance(envelope.content, bytes)
            self.taken.append((to, envelope.content))
        return await self._say(answer, server)

    async def _play(self, step: str, server: SMTP, to: str = "") -> str:
        self.seen[step] += 1
        return await self._say(self.answer(step, to) or "250 ok", server)

    async def _say(self, answer: str, server: SMTP) -> str:
        if self.meanwhile:
            self.meanwhile()
        if answer == "hang":
            await asyncio.sleep(60)
        if answer.endswith("drop"):
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            await asyncio.sleep(60)  # until aiosmtpd notices
        if answer.startswith("421"):
            await server.push(answer)
            assert server.transport is not None
            server.transport.close()
            await asyncio.sleep(60)
        return answer

    def authenticate(self, *args: Any) -> AuthResult:
        self.logins.append(args[4].password)
        return AuthResult(success=args[4].password == b"right", handled=False)


class _Server(SMTP):
    """Asks the script at the DATA command too, where aiosmtpd has no hook."""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802  # aiosmtpd's name
        relay: Relay = self.event_handler
        relay.seen["DATA"] += 1
        if relay.meanwhile:
            relay.meanwhile()
        if answer := relay.answer("DATA"):
            await self.push(await relay._say(answer, self))
        else:
            await super().smtp_DATA(arg)


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop in a thread of its own: what the servers run on."""
    started = asyncio.new_event_loop()
    thread = threading.Thread(target=started.run_forever)
    thread.start()
    yield started
    started.call_soon_threadsafe(started.stop)
    thread.join()
    started.close()


StartRelay = Callable[..., Relay]


@pytest.fixture
def start_relay(loop: asyncio.AbstractEventLoop) -> Iterator[StartRelay]:
    """Start relays; each ends with the test."""
    running: list[asyncio.Server] = []

    def start(ssl_context: ssl.SSLContext | None = None, **options: Any) -> Relay:
        relay = Relay()

        def accept() -> _Server:
            relay.sessions += 1
            return _Server(relay, loop=loop, authenticator=relay.authenticate, **options)

        async def serve() -> asyncio.Server:
            return await loop.create_server(accept, "127.0.0.1", 0, ssl=ssl_context)

        running.append(asyncio.run_coroutine_threadsafe(serve(), loop).result(10))
        relay.port = running[-1].sockets[0].getsockname()[1]
        return relay

    yield start
    for server in running:
        loop.call_soon_threadsafe(server.close)


@pytest.fixture
def relay(start_relay: StartRelay) -> Relay:
    return start_relay()


@dataclass
class Clock:
    """A clock that a test moves."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **length: float) -> None:
        self.now += timedelta(**length)


@pytest.fixture
def clock() -> Clock:
    return Clock()


class ForkServer:
    """Processes of their own that open lists and send issues; see fork_server.py."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("fork_server.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, **order: Any) -> int:
        """The id of a new process that does what is ordered."""
        return int(self._ask(json.dumps(order)))

    def wait(self) -> list[int]:
        """The exit statuses of all processes started since the last time."""
        statuses: list[int] = json.loads(self._ask(""))
        return statuses

    def stop(self) -> None:
        self._process.communicate()

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(line, file=self._process.stdin, flush=True)
        return self._process.stdout.readline()


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    started = ForkServer()
    yield started
    started.stop()

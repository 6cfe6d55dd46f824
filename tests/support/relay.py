"""A real SMTP server that answers what a test says."""

import asyncio
import ssl
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from flows.mailing.transports import SmtpTransport


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

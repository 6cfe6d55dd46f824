"""The reader pages on a port of this machine: `papers web`."""

import secrets
from collections.abc import Callable
from email.message import EmailMessage
from socket import socket

import uvicorn

from flows.mail_setup import open_mailing, transport
from flows.mailing.transports import SENT, Parcel, TransportError
from flows.settings import Settings
from flows.web.app import create_app
from flows.web.postman import SendMail


def serve(settings: Settings, *, host: str, port: int, on_start: Callable[[], None]) -> None:
    """Serve the reader pages until the process is told to end; `on_start` when they answer.

    Raises MailingError, TransportError.

    A proxy on this machine may say who asks (X-Forwarded-For); for one elsewhere, uvicorn's
    FORWARDED_ALLOW_IPS names it.
    """
    mailing = open_mailing(settings)
    try:
        config = uvicorn.Config(
            create_app(settings, mailing, mail_sender(settings)),
            host=host,
            port=port,
            access_log=False,  # it would keep the links of readers, and each link is a key
            server_header=False,
            log_level="warning",
            limit_concurrency=500,
            timeout_graceful_shutdown=10,
        )
        _Server(config, on_start).run()
    finally:
        mailing.close()


class _Server(uvicorn.Server):
    """A server that says when it answers: an address that is told before leads nowhere."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_start = on_start

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        if self.started:
            self._on_start()


def mail_sender(settings: Settings) -> SendMail:
    """What sends the pages' mails: PAPERS_MAIL_URL's relay, or files in `outbox/` of this home."""
    relay = transport(settings, settings.home / "outbox")

    def send(to: str, mail: EmailMessage) -> None:
        connection = relay.open()
        try:
            parcel = Parcel(secrets.token_hex(10), to, mail.as_bytes())
            outcome = connection.send(parcel, lambda: True)
        finally:
            connection.close()
        if outcome.state != SENT:
            raise TransportError(f"{outcome.state}: {outcome.reason}", is_lasting=False)

    return send

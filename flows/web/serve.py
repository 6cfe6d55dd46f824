"""The reader pages on a port of this machine: `papers web`."""

import secrets
from email.message import EmailMessage

import uvicorn

from flows.mail_setup import open_mailing, transport
from flows.mailing.transports import SENT, Parcel, TransportError
from flows.settings import Settings
from flows.web.app import create_app
from flows.web.postman import SendMail


def serve(settings: Settings, *, host: str = "127.0.0.1", port: int = 8080) -> None:
    """Serve the reader pages until the process is told to end. Raises MailingError, TransportError.

    A proxy on this machine may say who asks (X-Forwarded-For); for one elsewhere, uvicorn's
    FORWARDED_ALLOW_IPS names it.
    """
    mailing = open_mailing(settings)
    try:
        uvicorn.run(
            create_app(settings, mailing, mail_sender(settings)),
            host=host,
            port=port,
            access_log=False,  # it would keep the links of readers, and each link is a key
            server_header=False,
            log_level="warning",
            limit_concurrency=500,
            timeout_graceful_shutdown=10,
        )
    finally:
        mailing.close()


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

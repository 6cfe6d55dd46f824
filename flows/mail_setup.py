"""How the settings set mail up: the list's database, the relay, the sender, the signing keys."""

import os
import secrets
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from flows.mailing.addresses import AddressError, parse_address
from flows.mailing.tokens import Tokens
from flows.mailing.transports import FileTransport, Transport, TransportError, parse_mail_url
from flows.settings import Settings, SettingsError

if TYPE_CHECKING:
    from flows.mailing.database import Mailing
    from flows.mailing.letters import Post


FILES = "files"  # as PAPERS_MAIL_URL: the operator's word that mail shall be files


def open_mailing(settings: Settings) -> "Mailing":
    """The mailing list of these settings, its tables up to date. Raises MailingError."""
    # Checking the mail settings, which every command does, must not import the database.
    from flows.mailing.database import open_mailing_database

    url = settings.mailing_url
    return open_mailing_database(url.get_secret_value() if url else settings.ledger_path)


def post(settings: Settings) -> "Post":
    """What all letters share: sender, links, signatures."""
    # Rendering takes half a second to import, and who opens the list needs none of it.
    from flows.mailing.letters import Post
    from flows.newsletter.site import Site

    # Where the machine is wiped, nobody answers at the pages' address: they are files.
    site = Site(settings.public_url, is_served=settings.state_url is None)
    return Post(site, Tokens(secret_keys(settings)), settings.mail_from)


def transport(settings: Settings, folder: Path) -> Transport:
    """How mail leaves: the relay of PAPERS_MAIL_URL, or files in this folder."""
    relay = _relay_url(settings)
    return parse_mail_url(relay, sender=settings.mail_from) if relay else FileTransport(folder)


def _relay_url(settings: Settings) -> str | None:
    """The relay's URL; None where mail becomes files."""
    url = settings.mail_url.get_secret_value() if settings.mail_url else FILES
    return None if url == FILES else url


def check_mail(settings: Settings) -> None:
    """Check that mail could leave with these settings. Raises SettingsError."""
    default = Settings.model_fields["mail_from"].default
    try:
        if relay := _relay_url(settings):
            parse_mail_url(relay, sender=settings.mail_from)
        elif settings.mail_from != default:
            parse_address(parseaddr(settings.mail_from)[1])
    except TransportError as error:
        raise SettingsError(str(error)) from None
    except AddressError as error:
        raise SettingsError(f"PAPERS_MAIL_FROM cannot be used: {error}") from None


def secret_keys(settings: Settings) -> tuple[SecretStr, ...]:
    """The keys of PAPERS_SECRET_KEY, the signing one first; else `secret.key`, made if need be.

    Safe when several processes ask for the first time at once: one makes the file, all read it.

    Raises:
        SettingsError: there is no key in the setting, or none in the file.
    """
    if settings.secret_key:
        given = settings.secret_key.get_secret_value().split(",")
        keys = tuple(SecretStr(key.strip()) for key in given if key.strip())
        if not keys:
            raise SettingsError("PAPERS_SECRET_KEY cannot be used: there is no key in it.")
        return keys
    path = settings.key_path
    if not path.exists():
        settings.home.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"secret.key.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())  # after a power cut the file would else be there, and empty
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was faster: its key it is
        finally:
            draft.unlink()
    try:
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        key = ""
    if not key:
        raise SettingsError(
            f"{path} holds no key. Restore it from the backup, or remove it: the next mail makes a"
            " new one, and the links in mails that were sent end."
        )
    return (SecretStr(key),)

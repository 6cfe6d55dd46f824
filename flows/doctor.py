"""What an operator would want to know before the first run, or after a bad one. Changes nothing."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr

from flows.deliver import open_mailing, transport
from flows.mailing.database import MailingError
from flows.mailing.dns_records import dns_findings
from flows.mailing.transports import FileTransport, TransportError
from flows.settings import Settings
from flows.sources.feed_day import newest_closed
from flows.sources.hub import Hub, Patience
from flows.status import day_statuses
from flows.warehouse import WarehouseBusyError

_PATIENCE = Patience(attempts=1, connect_timeout=5, read_timeout=10)


@dataclass(frozen=True)
class Finding:
    """One thing looked at. Level: ok, note, warning, problem (only a problem fails the check)."""

    level: str
    subject: str
    sentence: str


def examine(settings: Settings, now: datetime) -> Iterator[Finding]:
    """What was found, one subject after the other."""
    looks: tuple[Callable[[Settings, datetime], Iterator[Finding]], ...]
    looks = (_hub, _warehouse, _mail, _dns)
    yield Finding("ok", "home", f"Everything is kept in {settings.home}.")
    for look in looks:
        yield from look(settings, now)


def _hub(settings: Settings, now: datetime) -> Iterator[Finding]:
    day = newest_closed(now)
    hub = Hub(settings.hub_url, settings.hub_token, _PATIENCE)
    answer = hub.read(day, lambda: now)
    if answer.is_list:
        count = len(answer.items)
        yield Finding("ok", "hub", f"{settings.hub_url} lists {count} papers for {day}.")
    else:
        yield Finding("problem", "hub", f"{settings.hub_url}: {answer.trouble}.")


def _warehouse(settings: Settings, _: datetime) -> Iterator[Finding]:
    try:
        days = day_statuses(settings)
    except WarehouseBusyError as error:
        yield Finding("note", "warehouse", str(error))
        return
    if not days:
        yield Finding("note", "warehouse", "Nothing was read yet; `papers run` begins.")
        return
    newest = days[0]
    level = "problem" if newest.verdict == "failed" else "ok"
    yield Finding(level, "warehouse", f"{newest.list_date} is {newest.verdict}: {newest.reason}")


def _mail(settings: Settings, _: datetime) -> Iterator[Finding]:
    try:
        way = transport(settings, settings.issues_path)
        if isinstance(way, FileTransport):
            yield Finding("note", "mail", "Mail goes to files; PAPERS_MAIL_URL names a relay.")
        else:
            with closing(way.open()):
                yield Finding("ok", "mail", "The relay of PAPERS_MAIL_URL takes our connection.")
    except TransportError as error:
        yield Finding("problem", "mail", str(error))
    if not settings.mailing_url and not (settings.home / "mailing.sqlite").exists():
        yield Finding("note", "list", "There is no mailing list yet.")
        return
    try:
        open_mailing(settings).close()
        yield Finding("ok", "list", "The mailing list opens.")
    except MailingError as error:
        yield Finding("problem", "list", str(error))


def _dns(settings: Settings, _: datetime) -> Iterator[Finding]:
    domain = parseaddr(settings.mail_from)[1].rpartition("@")[2]
    if not settings.public_url.startswith("https://"):
        sentence = "PAPERS_PUBLIC_URL is not https: mail clients will not offer one-click leaving."
        yield Finding("warning", "mail", sentence)
    if "." not in domain:
        yield Finding(
            "note", "dns", f"{domain} is no public domain; its records were not looked at."
        )
        return
    selectors = [settings.dkim_selector] if settings.dkim_selector else []
    for found in dns_findings(domain, selectors=selectors):
        yield Finding(found.level, "dns", found.sentence)
